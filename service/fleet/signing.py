"""Signing: vouch for a bundle as it is in its folder."""

import time
from pathlib import Path

from edge.bundle import MANIFEST, SEAL, SIGNATURE, read_bundle
from edge.errors import BundleError
from edge.golden import self_test
from edge.manifest import FileEntry
from edge.updates.document import Document, time_text
from edge.updates.durable import write_durably
from edge.updates.keys import Keyring
from edge.updates.signature import check_signature, file_digest, signature_bytes
from service.fleet.private_key import PrivateKey


def sign_bundle(path: Path, key: PrivateKey, valid_s: float, minimum_agent: str) -> Document:
    """Test a bundle and write its signature.json; BundleError if it is not fit for devices."""
    self_test(read_bundle(path))
    return write_signature(path, key, valid_s, minimum_agent)


def write_signature(path: Path, key: PrivateKey, valid_s: float, minimum_agent: str) -> Document:
    """Sign a bundle that has been tested."""
    manifest, now_s = read_bundle(path).manifest, time.time()
    files = dict(manifest.files)
    for name in (MANIFEST, SEAL):
        files[name] = FileEntry(file_digest(path / name), (path / name).stat().st_size)
    document = Document(
        name=manifest.name,
        version=manifest.version,
        created=time_text(now_s),
        expires=time_text(now_s + valid_s),
        minimum_agent=minimum_agent,
        key=key.public.id,
        files=files,
    )
    signature = signature_bytes(document, key.sign)
    try:
        check_signature(signature, Keyring({key.public.id: key.public}))  # as a device will
        write_durably(path / SIGNATURE, signature)
    except BundleError as error:
        raise BundleError(f"{path}: expected a bundle that devices can take, got: {error}") from error
    except OSError as error:
        raise BundleError(f"{path}: expected a folder that can be written, got: {error.strerror}") from error
    return document
