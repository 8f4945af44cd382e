"""The document that is signed: which bundle it is, each file's size and digest, and until when it may be taken."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from edge.bundle import KNOWN_FILES, MANIFEST, MOST_BYTES, SEAL
from edge.errors import BundleError
from edge.manifest import FileEntry

SCHEMA = 1
MOST_DOCUMENT_BYTES = 16 * 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  #: of a bundle; it is a folder's name as well
VERSION = re.compile(r"[1-9][0-9]{0,8}")  #: a whole number, so that it is plain which of two is newer
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_RELEASE = re.compile(r"\d{1,4}(\.\d{1,4}){0,3}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Document:
    """What a signature vouches for."""

    name: str
    version: str
    created: str  #: UTC, such as 2026-11-26T01:00:00Z
    expires: str  #: from then on no device takes it any more; one that has it goes on
    minimum_agent: str  #: oldest release of Foresense that can run it, such as 0.1.0
    key: str  #: id of the key that signs
    files: dict[str, FileEntry]  #: all files of the bundle but the signature itself

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(entry.size for entry in self.files.values())

    @property
    def created_s(self) -> float:
        """Return when it was signed, UTC epoch seconds."""
        return _seconds(self.created)

    @property
    def expires_s(self) -> float:
        """Return when it expires, UTC epoch seconds."""
        return _seconds(self.expires)

    def to_bytes(self) -> bytes:
        """Return the one form of the document that is signed."""
        raw = asdict(self) | {"schema": SCHEMA}
        return json.dumps(raw, sort_keys=True, separators=(",", ":")).encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a document whose signature has been checked; BundleError unless it is in just that form."""
        if len(data) > MOST_DOCUMENT_BYTES:
            raise BundleError(f"signature: expected a document of at most {MOST_DOCUMENT_BYTES} bytes, got {len(data)}")
        try:
            raw = json.loads(data)
            if raw.pop("schema") != SCHEMA:
                raise BundleError(f"signature: expected schema {SCHEMA}, got another; a newer agent may know it")
            raw["files"] = {name: _entry(name, entry) for name, entry in raw["files"].items()}
            document = cls(**raw)
            document._check()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BundleError(f"signature: expected the fields of schema {SCHEMA}, got: {error}") from error
        if document.to_bytes() != data:
            raise BundleError("signature: expected the document in its one form, got another")
        return document

    def _check(self) -> None:
        for what, pattern in (("name", NAME), ("version", VERSION), ("minimum_agent", _RELEASE)):
            if not pattern.fullmatch(getattr(self, what)):
                raise ValueError(f"{what} {getattr(self, what)!r}")
        if self.expires_s <= self.created_s:
            raise ValueError(f"expires {self.expires!r}, which is before it was created")
        if not {MANIFEST, SEAL} <= self.files.keys() <= KNOWN_FILES | {MANIFEST, SEAL}:
            raise ValueError(f"the files {', '.join(self.files)}")
        if self.size > MOST_BYTES:
            raise ValueError(f"{self.size} bytes of files, more than {MOST_BYTES}")


def _entry(name: str, raw: dict[str, Any]) -> FileEntry:
    entry = FileEntry(**raw)
    if type(entry.size) is not int or not 1 <= entry.size <= MOST_BYTES or not _SHA256.fullmatch(entry.sha256):
        raise ValueError(f"size or digest of {name!r}")
    return entry


def time_text(seconds: float) -> str:
    """Return a time (UTC epoch seconds) as a document has it.

    >>> time_text(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime(_TIME)


def _seconds(text: str) -> float:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp()
