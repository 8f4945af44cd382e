"""The signature of a bundle: `signature.json`, checked before anything else of the bundle is parsed.

The file is JSON of a fixed form,

    {"key":"16 hexadecimal digits","signature":"128 hexadecimal digits","signed":{...}}

so key, signature and what is signed are cut out by their places. The signature is checked over those very bytes, and
only then are they read as JSON. The digests in them vouch for the bytes of every other file.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from edge.bundle import MANIFEST, SIGNATURE, Bundle, read_bundle
from edge.errors import BundleError
from edge.updates.document import MOST_DOCUMENT_BYTES, Document
from edge.updates.keys import Keyring

MOST_BYTES = MOST_DOCUMENT_BYTES + 512  #: of signature.json
_PURPOSE = b"foresense bundle signature 1\n"  # a signature made for something else is none here
_FORM = re.compile(rb'\{"key":"([0-9a-f]{16})","signature":"([0-9a-f]{128})","signed":(\{.*\})\}\n', re.DOTALL)
_BLOCK = 1024 * 1024


def signature_bytes(document: Document, sign: Callable[[bytes], bytes]) -> bytes:
    """Return signature.json of a document; `sign` returns the Ed25519 signature (64 bytes) of what it is given."""
    signed = document.to_bytes()
    signature = sign(_PURPOSE + signed).hex()
    return b'{"key":"%s","signature":"%s","signed":%s}\n' % (document.key.encode(), signature.encode(), signed)


def check_signature(data: bytes, keyring: Keyring) -> Document:
    """Return the document of signature.json; BundleError unless a trusted key has signed it."""
    form = _FORM.fullmatch(data) if len(data) <= MOST_BYTES else None
    if form is None:
        raise BundleError(f"{SIGNATURE}: expected a signature of at most {MOST_BYTES} bytes, got {len(data)} others")
    key, signature, signed = form[1].decode(), bytes.fromhex(form[2].decode()), form[3]
    keyring.check(key, signature, _PURPOSE + signed)
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
