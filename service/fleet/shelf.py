"""The shelf: the files of one signed bundle, of which devices are given the parts they ask for."""

from pathlib import Path

from edge.bundle import SIGNATURE
from edge.updates.chunk import CHUNK_BYTES, Chunk, Request
from edge.updates.document import Document
from edge.updates.keys import Keyring
from edge.updates.signature import check_folder, deployment_of, read_signature


class Shelf:
    """Reads parts of files; BundleError unless the bundle is signed by a key of the keyring, and whole."""

    def __init__(self, path: Path, keyring: Keyring) -> None:
        self.document: Document = check_folder(path, keyring)
        self.deployment = deployment_of(read_signature(path))
        self._path = path

    def answer(self, request: Request) -> Chunk | None:
        """Return what a device asks for, empty if there is no such file; None if it is about another deployment."""
        if request.deployment != self.deployment:
            return None
        if request.file != SIGNATURE and request.file not in self.document.files:
            return Chunk(self.deployment, request.number, request.offset, 0, b"")
        path = self._path / request.file
        with path.open("rb") as file:
            file.seek(request.offset)
            data = file.read(min(request.length, CHUNK_BYTES))
        return Chunk(self.deployment, request.number, request.offset, path.stat().st_size, data)
