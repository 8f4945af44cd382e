"""The download: the signature first, then file by file, a part at a time, from where it was broken off."""

import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from edge.bundle import SIGNATURE
from edge.errors import BundleError, DataError
from edge.operation.failpoint import reach
from edge.updates.chunk import CHUNK_BYTES, Chunk, Request
from edge.updates.document import Document
from edge.updates.durable import flush_folder, write_durably
from edge.updates.keys import Keyring
from edge.updates.signature import MOST_BYTES, check_signature, deployment_of, file_digest

log = logging.getLogger(__name__)

_SOON_S, _LATEST_S = 2.0, 60.0  # until the same is asked for again, twice as long each time
_TRIES = 2  # of a file whose bytes turn out to be others than the signed ones

Send = Callable[[Request], None]


class Download:
    """Fetches the deployment of a bundle's version into a folder; one request is under way at a time.

    `send` publishes a request, `admit` raises BundleError for a signed bundle that this device does not take. Both are
    called from turn() and take(), which raise BundleError when the download is to be given up, ConfigError if the file
    `keyring` cannot be used, and OSError for a disk that takes no more.
    """

    def __init__(self, name: str, version: str, deployment: str, folder: Path, keyring: Path) -> None:
        self.document: Document | None = None
        self.damaged = 0  #: messages that were cut short, damaged or not asked for
        self._name = name
        self._version = version
        self._deployment = deployment
        self._folder = folder
        self._keyring = keyring
        self._number = secrets.randbits(31)  # of the request under way; none of an earlier run is taken for it
        self._asked: Request | None = None
        self._ask_again_s = 0.0  # monotonic
        self._wait_s = _SOON_S
        self._tries: dict[str, int] = {}

    @property
    def is_whole(self) -> bool:
        """Whether all files are there."""
        return self.document is not None and self._next() is None

    @property
    def progress(self) -> tuple[int, int]:
        """Return the bytes that are there, and those of all files; (0, 0) before the signature is there."""
        if self.document is None:
            return 0, 0
        return sum(self._size(name) for name in self.document.files), self.document.size

    def open(self, admit: Callable[[Document], None]) -> None:
        """Make the folder ready; keep what an earlier attempt at the same deployment has left in it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        signature = self._folder / SIGNATURE
        if signature.exists():
            data = signature.read_bytes()
            if deployment_of(data) == self._deployment:
                self._take_signature(data, admit)
                self._drop_longer()
                return
        for entry in self._folder.iterdir():
            entry.unlink()

    def turn(self, now_s: float, send: Send) -> None:
        """Ask, if nothing is under way or it has been for too long; `now_s` is monotonic."""
        if self._asked is None:
            self._ask(now_s, send)
        elif now_s >= self._ask_again_s:
            self._wait_s = min(2 * self._wait_s, _LATEST_S)
            self._ask_again_s = now_s + self._wait_s
            send(self._asked)

    def take(self, message: bytes, admit: Callable[[Document], None]) -> None:
        """Take a chunk; one that was not asked for, came already, or is damaged changes nothing."""
        try:
            chunk = Chunk.from_bytes(message)
        except DataError as error:
            self.damaged += 1
            log.warning("%s: %s", self._name, error)
            return
        asked = self._asked
        if (
            asked is None
            or (chunk.deployment, chunk.number, chunk.offset) != (asked.deployment, asked.number, asked.offset)
            or len(chunk.data) > asked.length
        ):
            self.damaged += 1
            return
        if not chunk.data:
            raise BundleError(f"{asked.file}: expected the deploying side to have it, got the answer that it has not")
        self._asked, self._wait_s = None, _SOON_S
        if self.document is None:
            self._take_signature(chunk.data, admit)
        else:
            self._append(self.document, asked, chunk)
        reach("chunk-taken")

    def _take_signature(self, data: bytes, admit: Callable[[Document], None]) -> None:
        if deployment_of(data) != self._deployment:
            raise BundleError(f"{SIGNATURE}: expected that of deployment {self._deployment}, got another")
        document = check_signature(data, Keyring.read(self._keyring))
        if (document.name, document.version) != (self._name, self._version):
            wanted = f"{self._name}/{self._version}"
            raise BundleError(f"{SIGNATURE}: expected {wanted} as ordered, got {document.name}/{document.version}")
        admit(document)
        write_durably(self._folder / SIGNATURE, data)
        self.document = document

    def _append(self, document: Document, asked: Request, chunk: Chunk) -> None:
        """Add a chunk to its file, which is checked when it is complete."""
        entry, path = document.files[asked.file], self._folder / asked.file
        with path.open("ab") as file:
            file.truncate(asked.offset)
            file.write(chunk.data[: entry.size - asked.offset])
            if file.tell() == entry.size:
                file.flush()
                os.fsync(file.fileno())
        if self._size(asked.file) == entry.size:
            self._check(asked.file, entry.sha256)

    def _check(self, name: str, sha256: str) -> None:
        path = self._folder / name
        if file_digest(path) == sha256:
            flush_folder(self._folder)
            return
        self._tries[name] = self._tries.get(name, 0) + 1
        path.unlink()
        if self._tries[name] >= _TRIES:
            raise BundleError(f"{name}: expected the bytes that are signed, got others {_TRIES} times")

    def _ask(self, now_s: float, send: Send) -> None:
        name = SIGNATURE if self.document is None else self._next()
        if name is None:
            return
        offset, length = 0, MOST_BYTES
        if self.document is not None:
            offset = self._size(name)
            length = min(CHUNK_BYTES, self.document.files[name].size - offset)
        self._number += 1
        self._asked = Request(self._deployment, self._number, name, offset, length)
        self._ask_again_s = now_s + self._wait_s
        send(self._asked)

    def _drop_longer(self) -> None:
        """Remove files that have become longer than they shall be, as after a power cut."""
        files = self.document.files if self.document else {}
        for name, entry in files.items():
            if self._size(name) > entry.size:
                (self._folder / name).unlink()

    def _next(self) -> str | None:
        """Return the first file that is not complete."""
        files = self.document.files if self.document else {}
        return next((name for name, entry in files.items() if self._size(name) < entry.size), None)

    def _size(self, name: str) -> int:
        try:
            return (self._folder / name).stat().st_size
        except FileNotFoundError:
            return 0
