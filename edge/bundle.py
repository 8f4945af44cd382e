"""Bundles: a sealed folder NAME/VERSION that proves itself before it is used.

`manifest.sha256` seals `manifest.json`, which seals every other file by size and SHA-256. Nothing is
parsed before its digest has been checked, and nothing in a bundle is code.
"""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from edge.errors import BundleError
from edge.manifest import FileEntry, Manifest

MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
SIGNATURE = "signature.json"  #: may stand beside them; edge/updates/signature.py checks it
STEP_ONNX = "step.onnx"
STEP_TFLITE = "step.tflite"
STEP_INT8 = "step.int8.tflite"
GOLDEN = "golden.npz"
KNOWN_FILES = frozenset({STEP_ONNX, STEP_TFLITE, STEP_INT8, "weights.npz", GOLDEN})
MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose seal and digests have been checked; its files' bytes are the checked ones."""

    path: Path
    manifest: Manifest
    files: dict[str, bytes]

    @property
    def reference(self) -> str:
        """Return NAME/VERSION."""
        return f"{self.manifest.name}/{self.manifest.version}"


def read_bundle(path: Path, manifest_sha256: str | None = None) -> Bundle:
    """Read a bundle and check its seal and digests; BundleError says what is wrong with it.

    `manifest_sha256` is the digest that a signature vouches for, where one was checked.
    """
    if not path.is_dir():
        raise BundleError(f"{path}: expected a bundle folder, got {'a file' if path.exists() else 'nothing'}")
    sealed = _read(path, MANIFEST)
    seal = _read(path, SEAL).decode("ascii", "replace")
    _check_digest(path / MANIFEST, sealed, seal)
    if manifest_sha256 is not None:
        _check_digest(path / MANIFEST, sealed, manifest_sha256)
    manifest = Manifest.from_json(sealed)

    for unknown in manifest.files.keys() - KNOWN_FILES:
        raise BundleError(f"{path}: expected only the files {', '.join(sorted(KNOWN_FILES))}, got {unknown!r}")
    for extra in {entry.name for entry in path.iterdir()} - manifest.files.keys() - {MANIFEST, SEAL, SIGNATURE}:
        raise BundleError(f"{path}: expected only the files the manifest lists, got {extra!r} besides")
    files = {}
    for name, entry in manifest.files.items():
        files[name] = _read(path, name)
        if len(files[name]) != entry.size:
            raise BundleError(f"{path / name}: expected {entry.size} bytes, got {len(files[name])}")
        _check_digest(path / name, files[name], entry.sha256)
    return Bundle(path, manifest, files)


def write_bundle(root: Path, manifest: Manifest, files: dict[str, bytes]) -> Bundle:
    """Seal files and manifest into root/NAME/VERSION, whole or not at all, and return it as read back."""
    target = root / manifest.name / manifest.version
    if target.exists():
        raise BundleError(f"{target}: expected a version that is not there yet, got one that is")
    entries = {name: FileEntry(_digest(data), len(data)) for name, data in files.items()}
    sealed = replace(manifest, files=entries).to_json()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    try:
        for name, data in {**files, MANIFEST: sealed, SEAL: _digest(sealed).encode()}.items():
            with (draft / name).open("wb") as file:
                file.write(data)
                os.fsync(file.fileno())
        draft.chmod(0o755)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return read_bundle(target)


def find_bundle(root: Path, reference: str) -> Path:
    """Return the folder of NAME/VERSION under root, or of the highest version of NAME."""
    name, _, version = reference.partition("/")
    if version:
        return root / name / version
    versions = versions_in(root / name)
    if not versions:
        raise BundleError(f"{root / name}: expected a bundle {name!r} with at least one version, got none")
    return versions[0]


def versions_in(folder: Path) -> list[Path]:
    """Return the folders of a bundle's versions, the newest first."""
    versions = [each for each in folder.glob("*") if each.is_dir() and each.name.isdecimal()]
    return sorted(versions, key=lambda each: int(each.name), reverse=True)


def _read(path: Path, name: str) -> bytes:
    try:
        if (path / name).stat().st_size > MOST_BYTES:
            raise BundleError(f"{path / name}: expected at most {MOST_BYTES} bytes, got more")
        return (path / name).read_bytes()
    except OSError as error:
        raise BundleError(f"{path / name}: expected a readable file, got: {error.strerror}") from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check_digest(path: Path, data: bytes, expected: str) -> None:
    if (got := _digest(data)) != expected:
        raise BundleError(f"{path}: expected SHA-256 {expected[:16]}..., got {got[:16]}...: the file was changed")
