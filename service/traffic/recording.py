"""A recording: a file with a line of JSON for each message, compressed if its name ends in .gz."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Self, cast

import msgspec

from edge.errors import ConfigError, DataError
from edge.inbox import Message


class _Line(msgspec.Struct, omit_defaults=True):
    """A message in the file; a payload that is no UTF-8 is in base64."""

    time: int  #: of receipt, UTC epoch, milliseconds
    topic: str
    qos: int
    retain: bool
    payload: str | None = None
    base64: bytes | None = None
    source: str = ""  #: name of the broker, where there are several


class RecordingWriter:
    """Writes messages to a new file; what write() has returned from is with the operating system."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encode = msgspec.json.Encoder().encode
        self.bytes = 0  #: of lines, before compression

    def __enter__(self) -> Self:
        """Create the file; ConfigError if it is there already or cannot be."""
        try:
            self._file = _open(self._path, "xb")
        except OSError as error:
            raise ConfigError(f"{self._path}: expected the name of a new file, got: {error.strerror}") from error
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Close the file; one that an error has left empty is removed."""
        self._file.close()
        if error is not None and not self.bytes:
            self._path.unlink()

    def write(self, messages: Iterable[Message]) -> None:
        """Add messages; OSError if the disk takes no more."""
        lines = b"".join(self._encode(_line(message)) + b"\n" for message in messages)
        self._file.write(lines)
        self._file.flush()
        self.bytes += len(lines)


class RecordingReader:
    """Reads a recording; a line that is cut or damaged is counted and left out."""

    def __init__(self, path: Path) -> None:
        self.damaged = 0  #: lines
        self._path = path

    def __iter__(self) -> Iterator[Message]:
        """Yield the messages in the order of receipt; DataError if the file has none."""
        decode, found = msgspec.json.Decoder(_Line).decode, 0
        for line in self._lines():
            try:
                message = _message(decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                self.damaged += 1
                continue
            found += 1
            yield message
        if not found:
            got = f"{self.damaged} damaged lines" if self.damaged else "an empty file"
            raise DataError(f"{self._path}: expected a recording made by `foresense record`, got {got}")

    def _lines(self) -> Iterator[bytes]:
        try:
            with _open(self._path, "rb") as file:
                yield from file
        except (EOFError, zlib.error):
            self.damaged += 1  # the writer was ended in the middle of it
        except OSError as error:
            raise DataError(f"{self._path}: expected a recording, got: {error.strerror or error}") from error


def _open(path: Path, mode: str) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, mode) if path.suffix == ".gz" else path.open(mode))


def _line(message: Message) -> _Line:
    line = _Line(message.received_ms, message.topic, message.qos, message.retain, source=message.source)
    try:
        line.payload = message.payload.decode()
    except UnicodeDecodeError:
        line.base64 = message.payload
    return line


def _message(line: _Line) -> Message:
    payload = line.base64 if line.base64 is not None else (line.payload or "").encode()
    return Message(0, 0, line.qos, line.topic, payload, line.retain, line.time, line.source)
