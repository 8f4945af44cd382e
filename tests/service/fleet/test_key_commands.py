"""Keys and signatures by the commands."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from edge.bundle import SIGNATURE
from edge.updates.keys import Keyring
from edge.updates.signature import check_folder
from service.cli import main
from service.fleet.private_key import PASSPHRASE, PrivateKey
from tests.conftest import MakeBundle


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env=environment)


def test_a_bundle_is_signed_with_a_new_key_and_trusted_with_its_public_key(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    key = tmp_path / "release.key"
    made = run("keygen", key)
    assert made.exit_code == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not any(line in made.output for line in key.read_text().splitlines())
    path = make_bundle().path
    signed = run("sign", path, "--key", key, "--valid", "30d", "--json")
    told = json.loads(signed.output)
    document = check_folder(path, Keyring.read(tmp_path / "release.pub"))
    assert (told["name"], told["version"], told["key"]) == ("pump", "1", document.key)
    assert document.expires_s - document.created_s == 30 * 86_400
    assert sorted(document.files) == ["golden.npz", "manifest.json", "manifest.sha256", "step.onnx"]


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    key = tmp_path / "release.key"
    run("keygen", key)
    before = key.read_bytes()
    again = run("keygen", key)
    assert (again.exit_code, "expected a name that is free" in again.output) == (2, True)
    (tmp_path / "release.pub").unlink()
    again = run("keygen", key)
    assert (again.exit_code, "expected a new file" in again.output) == (2, True)
    assert key.read_bytes() == before


def test_a_key_with_a_passphrase_needs_it(make_bundle: MakeBundle, tmp_path: Path) -> None:
    key, file, path = tmp_path / "release.key", tmp_path / "passphrase", make_bundle().path
    file.write_text("correct horse\n")
    assert run("keygen", key, "--passphrase-file", file).exit_code == 0
    without = run("sign", path, "--key", key)
    assert (without.exit_code, "expected its passphrase, by --passphrase-file or" in without.output) == (2, True)
    wrong = run("sign", path, "--key", key, **{PASSPHRASE: "wrong horse"})
    assert (wrong.exit_code, "expected a private key (PEM) and its passphrase" in wrong.output) == (2, True)
    assert "horse" not in wrong.output
    assert run("sign", path, "--key", key, **{PASSPHRASE: "correct horse"}).exit_code == 0
    assert run("sign", path, "--key", key, "--passphrase-file", file).exit_code == 0


def test_a_key_that_others_can_read_is_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    key, path = tmp_path / "release.key", make_bundle().path
    run("keygen", key)
    key.chmod(0o640)
    refused = run("sign", path, "--key", key)
    assert (refused.exit_code, "(chmod 600), got mode 640" in refused.output) == (2, True)
    assert not (path / SIGNATURE).exists()


def test_another_kind_of_key_is_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    key = tmp_path / "rsa.key"
    pem = generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key.write_bytes(pem)
    key.chmod(0o600)
    refused = run("sign", make_bundle().path, "--key", key)
    assert (refused.exit_code, "expected an Ed25519 key, got another kind" in refused.output) == (2, True)


@pytest.mark.parametrize(
    ("options", "version", "problem"),
    [
        ((), "1.0", "version '1.0'"),
        (("--minimum-agent", "newest"), "1", "minimum_agent 'newest'"),
        (("--valid", "soon"), "1", "--valid: expected a duration"),
    ],
)
def test_what_devices_would_refuse_is_not_signed(
    options: tuple[str, ...], version: str, problem: str, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    key, path = tmp_path / "release.key", make_bundle(version=version).path
    run("keygen", key)
    refused = run("sign", path, "--key", key, *options)
    assert (refused.exit_code, problem in refused.output) == (2, True)
    assert not (path / SIGNATURE).exists()


def test_a_key_does_not_show_itself(tmp_path: Path) -> None:
    key = PrivateKey.make(tmp_path / "release.key", "")
    assert key.key.private_bytes_raw().hex() not in repr(key)
    assert "key=" not in repr(key)
