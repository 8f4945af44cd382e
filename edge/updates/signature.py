"""The signature of a bundle: `signature.json`, checked before anything else of the bundle is parsed.

The file is an envelope around the document. The digests in that vouch for the bytes of every other file.
"""

import hashlib
from pathlib import Path

from edge.bundle import MANIFEST, SIGNATURE, Bundle, read_bundle
from edge.errors import BundleError
from edge.updates.document import MOST_DOCUMENT_BYTES, Document
from edge.updates.envelope import Envelope, Sign
from edge.updates.keys import Keyring

MOST_BYTES = MOST_DOCUMENT_BYTES + 512  #: of signature.json
_ENVELOPE = Envelope(SIGNATURE, b"foresense bundle signature 1\n", MOST_BYTES)
_BLOCK = 1024 * 1024


def signature_bytes(document: Document, sign: Sign) -> bytes:
    """Return signature.json of a document, which names the key that signs."""
    return _ENVELOPE.seal(document.to_bytes(), document.key, sign)


def check_signature(data: bytes, keyring: Keyring) -> Document:
    """Return the document of signature.json; BundleError unless a trusted key has signed it."""
    key, signed = _ENVELOPE.open(data, keyring)
    document = Document.from_bytes(signed)
    if document.key != key:
        raise BundleError(f"{SIGNATURE}: expected the key {key} in the document, got {document.key!r}")
    return document


def check_folder(path: Path, keyring: Keyring) -> Document:
    """Return the document of a bundle's folder, in which nothing has been parsed but the signed bytes.

    BundleError if it is not signed by a trusted key, or if any file is another than the signed one.
    """
    document = check_signature(read_signature(path), keyring)
    check_files(path, document)
    return document


def read_signed_bundle(path: Path, keyring: Keyring | None) -> Bundle:
    """Read a bundle as `read_bundle` does, and with a keyring only if one of its keys has signed it."""
    if keyring is None:
        return read_bundle(path)
    document = check_folder(path, keyring)
    bundle = read_bundle(path, document.files[MANIFEST].sha256)
    if bundle.manifest.name != document.name or bundle.manifest.version != document.version:
        raise BundleError(f"{path}: expected {document.name}/{document.version} as signed, got {bundle.reference}")
    return bundle


def deployment_of(signature: bytes) -> str:
    """Return the id of a deployment: the beginning of the SHA-256 of its signature.json."""
    return hashlib.sha256(signature).hexdigest()[:32]


def read_signature(path: Path) -> bytes:
    """Return a bundle's signature.json, or somewhat more than the most it may have; BundleError if there is none."""
    try:
        with (path / SIGNATURE).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise BundleError(f"{path}: expected a signed bundle, got one without {SIGNATURE}") from error
    except OSError as error:
        raise BundleError(f"{path / SIGNATURE}: expected a readable file, got: {error.strerror}") from error


def check_files(path: Path, document: Document) -> None:
    """Check that a folder holds just the files of a document, byte for byte; BundleError if it does not."""
    for extra in {entry.name for entry in path.iterdir()} - document.files.keys() - {SIGNATURE}:
        raise BundleError(f"{path}: expected only the files that are signed, got {extra!r} besides")
    for name, entry in document.files.items():
        try:
            size, digest = (path / name).stat().st_size, ""
            if size == entry.size:
                digest = file_digest(path / name)
        except OSError as error:
            raise BundleError(f"{path / name}: expected a readable file, got: {error.strerror}") from error
        if digest != entry.sha256:
            raise BundleError(f"{path / name}: expected the {entry.size} bytes that are signed, got others ({size})")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
