"""Requests and chunks: how a device asks for a part of a file, and the part as it comes.

A request is JSON. A chunk is a header of fixed size and the bytes:

    "FSC1"  deployment (16 bytes)  number of the request  offset  size of the file  bytes that follow  their CRC-32

all numbers big-endian, of 4, 8, 8, 4 and 4 bytes. A size of 0 says that there is no such file.
"""

import json
import re
from dataclasses import asdict, dataclass
from struct import Struct
from typing import Self
from zlib import crc32

from edge.errors import DataError

CHUNK_BYTES = 64 * 1024  #: most that are asked for at once
_HEADER = Struct(">4s16sIQQII")
_MAGIC = b"FSC1"
_MOST_REQUEST_BYTES = 1024
_DEPLOYMENT = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Request:
    """What a device asks for."""

    deployment: str  #: 32 hexadecimal digits
    number: int  #: by which the answer is known
    file: str
    offset: int
    length: int

    def __post_init__(self) -> None:
        if not _DEPLOYMENT.fullmatch(self.deployment) or type(self.file) is not str:
            raise ValueError(f"deployment {self.deployment!r}, file {self.file!r}")
        for number, most in ((self.number, 2**32), (self.offset, 2**62), (self.length, CHUNK_BYTES + 1)):
            if type(number) is not int or not 0 <= number < most:
                raise ValueError(f"number {number!r}")

    def to_bytes(self) -> bytes:
        """Return the request as a message."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a message; DataError if it is no request."""
        if len(data) > _MOST_REQUEST_BYTES:
            raise DataError(f"request: expected at most {_MOST_REQUEST_BYTES} bytes, got {len(data)}")
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(f"request: expected deployment, number, file, offset and length, got: {error}") from error


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a file."""

    deployment: str
    number: int  #: of the request that it answers
    offset: int
    size: int  #: of the whole file
    data: bytes

    def to_bytes(self) -> bytes:
        """Return the chunk as a message."""
        numbers = (self.number, self.offset, self.size, len(self.data), crc32(self.data))
        return _HEADER.pack(_MAGIC, bytes.fromhex(self.deployment), *numbers) + self.data

    @classmethod
    def from_bytes(cls, message: bytes) -> Self:
        """Read a message; DataError if it is none, too long, cut short or damaged."""
        if not _HEADER.size <= len(message) <= _HEADER.size + CHUNK_BYTES:
            raise DataError(f"chunk: expected {_HEADER.size} to {_HEADER.size + CHUNK_BYTES} bytes, got {len(message)}")
        magic, deployment, number, offset, size, length, checksum = _HEADER.unpack_from(message)
        data = message[_HEADER.size :]
        if magic != _MAGIC or len(data) != length or crc32(data) != checksum:
            raise DataError(f"chunk: expected {length} undamaged bytes after the header, got {len(data)} others")
        return cls(deployment.hex(), number, offset, size, data)
