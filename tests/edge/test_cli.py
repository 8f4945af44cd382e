import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from edge.bundle import STEP_ONNX, Bundle
from service.cli import main
from service.fleet.private_key import PrivateKey
from service.fleet.signing import sign_bundle

MakeBundle = Callable[..., Bundle]


def test_verify_says_that_a_bundle_may_be_trusted(make_bundle: MakeBundle) -> None:
    answer = CliRunner().invoke(main, ["verify", str(make_bundle().path)])
    assert answer.exit_code == 0
    assert "40 golden verdicts hold" in answer.output


def test_verify_answers_a_script_in_json(make_bundle: MakeBundle) -> None:
    answer = CliRunner().invoke(main, ["verify", str(make_bundle().path), "--json"])
    assert json.loads(answer.output) == {"ok": True, "bundle": "pump/1", "golden_verdicts": 40}


def test_verify_exits_with_1_where_a_byte_was_changed(make_bundle: MakeBundle) -> None:
    path = make_bundle().path / STEP_ONNX
    path.write_bytes(path.read_bytes()[::-1])
    answer = CliRunner().invoke(main, ["verify", str(path.parent)])
    assert answer.exit_code == 1
    assert "the file was changed" in answer.output
    answer = CliRunner().invoke(main, ["verify", str(path.parent), "--json"])
    assert json.loads(answer.output)["ok"] is False


def test_verify_with_a_keyring_wants_a_signature_of_one_of_its_keys(make_bundle: MakeBundle, tmp_path: Path) -> None:
    key, other = (PrivateKey.make(tmp_path / f"{name}.key", "") for name in ("release", "other"))
    path, keyring = make_bundle().path, tmp_path / "keyring"
    keyring.write_text(f"{key.public.line}\n")
    answer = CliRunner().invoke(main, ["verify", str(path), "--keyring", str(keyring)])
    assert (answer.exit_code, "expected a signed bundle" in answer.output) == (1, True)
    sign_bundle(path, other, 60, "0.1.0")
    answer = CliRunner().invoke(main, ["verify", str(path), "--keyring", str(keyring)])
    assert (answer.exit_code, f"got key {other.public.id}" in answer.output) == (1, True)
    sign_bundle(path, key, 60, "0.1.0")
    answer = CliRunner().invoke(main, ["verify", str(path), "--keyring", str(keyring)])
    assert (answer.exit_code, "pump/1: signed, sealed, unchanged" in answer.output) == (0, True)
