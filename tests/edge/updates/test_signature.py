"""Signatures: what is signed is taken, and nothing else gets as far as a parser."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edge.manifest
import edge.updates.document
from edge.bundle import GOLDEN, MANIFEST, SIGNATURE, STEP_ONNX, read_bundle, write_bundle
from edge.errors import BundleError, ConfigError
from edge.updates.document import Document
from edge.updates.keys import Keyring
from edge.updates.rules import Now, check_rules
from edge.updates.signature import check_folder, check_signature, read_signed_bundle, signature_bytes
from service.fleet.private_key import PrivateKey
from service.fleet.signing import sign_bundle, write_signature
from tests.conftest import last_value_model, manifest_of, write_pump

YEAR_S = 365 * 86_400.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("signature")


@pytest.fixture(scope="module")
def key(folder: Path) -> PrivateKey:
    return PrivateKey.make(folder / "release.key", "")


@pytest.fixture(scope="module")
def original(folder: Path, key: PrivateKey) -> Path:
    path = write_pump(folder / "bundles").path
    sign_bundle(path, key, YEAR_S, "0.1.0")
    return path


@pytest.fixture(scope="module")
def keyring(key: PrivateKey) -> Keyring:
    return Keyring({key.public.id: key.public})


@pytest.fixture
def signed(tmp_path: Path, original: Path) -> Path:
    """Return a bundle that the test may change."""
    return Path(shutil.copytree(original, tmp_path / "pump" / "1"))


def test_a_signed_bundle_is_read_as_any_other(signed: Path, keyring: Keyring) -> None:
    assert read_signed_bundle(signed, keyring) == read_bundle(signed) == read_signed_bundle(signed, None)


def test_a_bundle_without_a_signature_is_refused_by_a_keyring_only(tmp_path: Path, keyring: Keyring) -> None:
    path = write_pump(tmp_path / "bundles").path
    assert read_signed_bundle(path, None).reference == "pump/1"
    with pytest.raises(BundleError, match=r"expected a signed bundle, got one without signature\.json"):
        read_signed_bundle(path, keyring)


def test_every_change_of_a_byte_is_refused_before_a_parser_sees_it(
    tmp_path: Path, key: PrivateKey, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = edge.manifest.Channel("value")
    manifest = replace(manifest_of(channel), layout=[], data={}, metrics={})
    path = write_bundle(tmp_path, manifest, {STEP_ONNX: last_value_model(1), GOLDEN: b"golden"}).path
    write_signature(path, key, YEAR_S, "0.1.0")
    check_folder(path, keyring)

    def parser(*_: object, **__: object) -> None:
        raise AssertionError("a parser has seen bytes that nobody has signed")

    changed = 0
    for file in sorted(path.iterdir()):
        with monkeypatch.context() as patch:
            if file.name == SIGNATURE:  # else the document is parsed, whose bytes are the signed ones
                patch.setattr(json, "loads", parser)
            for owner, name in ((edge.manifest.Manifest, "from_json"), (np, "load")):
                patch.setattr(owner, name, parser)
            data = bytearray(file.read_bytes())
            for at in range(len(data)):
                data[at] ^= 1 << at % 8
                file.write_bytes(data)
                with pytest.raises(BundleError):
                    read_signed_bundle(path, keyring)
                data[at] ^= 1 << at % 8
                changed += 1
            file.write_bytes(data)
    assert changed == sum(file.stat().st_size for file in path.iterdir()) > 2000
    check_folder(path, keyring)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_other_value_of_every_byte_of_a_signature_is_refused(signed: Path, keyring: Keyring) -> None:
    data = bytearray((signed / SIGNATURE).read_bytes())
    for at, right in enumerate(bytes(data)):
        for value in set(range(256)) - {right}:
            data[at] = value
            with pytest.raises(BundleError):
                check_signature(bytes(data), keyring)
        data[at] = right
    check_signature(bytes(data), keyring)


@pytest.mark.parametrize("name", [MANIFEST, "manifest.sha256", STEP_ONNX, GOLDEN])
def test_a_missing_and_a_longer_file_are_refused(name: str, signed: Path, keyring: Keyring) -> None:
    data = (signed / name).read_bytes()
    (signed / name).write_bytes(data + b"\n")
    with pytest.raises(BundleError, match=rf"{name}: expected the {len(data)} bytes that are signed, got others"):
        check_folder(signed, keyring)
    (signed / name).unlink()
    with pytest.raises(BundleError, match=rf"{name}: expected a readable file, got: No such file"):
        check_folder(signed, keyring)


def test_a_file_that_is_not_signed_is_refused(signed: Path, keyring: Keyring) -> None:
    (signed / "weights.npz").write_bytes(b"")
    with pytest.raises(BundleError, match=r"expected only the files that are signed, got 'weights\.npz' besides"):
        check_folder(signed, keyring)


def test_with_several_keys_each_of_them_is_trusted(tmp_path: Path, signed: Path, key: PrivateKey) -> None:
    new = PrivateKey.make(tmp_path / "new.key", "")
    file = tmp_path / "keyring"
    file.write_text(f"# release keys\n{key.public.line}\n\n{new.public.line}\n")
    both = Keyring.read(file)
    check_folder(signed, both)
    sign_bundle(signed, new, YEAR_S, "0.1.0")
    check_folder(signed, both)
    with pytest.raises(BundleError, match=f"expected one by a trusted key .*{key.public.id}.*got key {new.public.id}"):
        check_folder(signed, Keyring({key.public.id: key.public}))


def test_a_key_that_claims_anothers_id_is_refused(tmp_path: Path, signed: Path, key: PrivateKey) -> None:
    other = PrivateKey.make(tmp_path / "other.key", "")
    document = check_folder(signed, Keyring({key.public.id: key.public}))
    (signed / SIGNATURE).write_bytes(signature_bytes(document, other.sign))
    with pytest.raises(BundleError, match=f"expected that of key {key.public.id}"):
        check_folder(signed, Keyring({key.public.id: key.public}))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected at least one public key, got none"),
        ("ed25519 abcd release", "line 1: expected 'ed25519 KEY NAME'"),
        ("rsa " + "0" * 64 + " release", "line 1: expected 'ed25519 KEY NAME'"),
        ("\u00e9", "got: bytes that are no ASCII"),
    ],
)
def test_a_keyring_that_cannot_be_used_says_why(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        Keyring.read(path)


Change = Callable[[Document], Document]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda document: replace(document, name="../up"), "name '../up'"),
        (lambda document: replace(document, version="1.0"), r"version '1\.0'"),
        (lambda document: replace(document, version="007"), "version '007'"),
        (lambda document: replace(document, minimum_agent="new"), "minimum_agent 'new'"),
        (lambda document: replace(document, expires=document.created), "before it was created"),
        (lambda document: replace(document, expires="soon"), "does not match format"),
        (lambda document: replace(document, files=document.files | {"run.sh": document.files[MANIFEST]}), r"run\.sh"),
        (lambda document: replace(document, files={}), "the files "),
        (
            lambda document: replace(
                document, files=document.files | {GOLDEN: replace(document.files[GOLDEN], size=2**40)}
            ),
            "size or digest of 'golden.npz'",
        ),
    ],
)
def test_a_signed_document_that_makes_no_sense_is_refused(
    change: Change, problem: str, signed: Path, key: PrivateKey, keyring: Keyring
) -> None:
    document = change(check_folder(signed, keyring))
    with pytest.raises(BundleError, match=problem):
        check_signature(signature_bytes(document, key.sign), keyring)


def test_a_signed_document_has_one_form_only(signed: Path, key: PrivateKey, keyring: Keyring) -> None:
    document = check_folder(signed, keyring)

    class Spaced(Document):
        def to_bytes(self) -> bytes:
            return document.to_bytes().replace(b",", b", ", 1)

    spaced = Spaced(**{name: getattr(document, name) for name in document.__slots__})
    with pytest.raises(BundleError, match="expected the document in its one form, got another"):
        check_signature(signature_bytes(spaced, key.sign), keyring)


NOW = Now(time_s=time.time(), highest=1, agent="0.1.0")


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (NOW._replace(time_s=NOW.time_s + 2 * YEAR_S), "expected one that has not expired"),
        (NOW._replace(time_s=0), "expected a clock that is later than its signature .*, got 1970-01-01T00:00:00Z"),
        (NOW._replace(highest=2), "expected version 2, which was in charge here, or a newer one"),
        (NOW._replace(agent="0.0.9"), r"expected foresense 0\.1\.0 or newer here, got 0\.0\.9"),
    ],
)
def test_a_bundle_is_refused_by_a_rule(now: Now, problem: str, signed: Path, keyring: Keyring) -> None:
    document = check_folder(signed, keyring)
    check_rules(document, NOW)
    check_rules(document, NOW._replace(agent="0.1.1.dev3+g12"))
    with pytest.raises(BundleError, match=problem):
        check_rules(document, now)
