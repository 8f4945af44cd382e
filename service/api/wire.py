"""The wire between the service and its HTTP process: frames of a length and a MessagePack map, on a socket pair."""

import socket
import struct
from dataclasses import fields
from typing import Any, NamedTuple

import msgspec
import numpy as np

from edge.reading import Verdicts

_LENGTH = struct.Struct("<I")
_PART = 1 << 18  # bytes read at a time
_encode = msgspec.msgpack.Encoder().encode


class Said(NamedTuple):
    """Verdicts of a monitor that were just committed, as they cross the wire."""

    monitor: str
    bundle: str
    channels: list[str]
    first: int  #: row of the first of `names`; 0: all names are told anew
    names: list[str]  #: of streams that were not told before
    verdicts: Verdicts


def frame(**content: Any) -> bytes:
    """Return a frame that says this."""
    body = _encode(content)
    return _LENGTH.pack(len(body)) + body


def frame_of(said: Said) -> bytes:
    """Return the frame of verdicts: each column as its type, its shape and its bytes."""
    columns = {}
    for each in fields(Verdicts):
        column = getattr(said.verdicts, each.name)
        columns[each.name] = (column.dtype.str, column.shape, column.tobytes())
    return frame(kind="verdicts", **said._replace(verdicts=None)._asdict(), columns=columns)  # type: ignore[arg-type]


def said_in(content: dict[str, Any]) -> Said:
    """Return the verdicts that a frame's content tells."""
    columns = {
        name: np.frombuffer(data, np.dtype(kind)).reshape(shape)
        for name, (kind, shape, data) in content["columns"].items()
    }
    told = {name: content[name] for name in Said._fields if name != "verdicts"}
    return Said(**told, verdicts=Verdicts(**columns))


class Frames:
    """Takes frames apart as their bytes come."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take bytes over, and return the contents of the frames that are whole."""
        self._waiting += data
        whole = []
        place = 0
        while len(self._waiting) - place >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._waiting, place)
            if len(self._waiting) - place - _LENGTH.size < length:
                break
            place += _LENGTH.size
            whole.append(msgspec.msgpack.decode(bytes(self._waiting[place : place + length])))
            place += length
        del self._waiting[:place]
        return whole

    def read(self, link: socket.socket) -> list[dict[str, Any]]:
        """Return the frames that one read of the socket completes; EOFError if the other side has ended."""
        data = link.recv(_PART)
        if not data:
            raise EOFError
        return self.feed(data)
