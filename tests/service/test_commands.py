import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from service.cli import main
from tests.conftest import MakeBundle


def run_check(path: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["check", str(path), *options])
    return result.exit_code, result.output


def configured(tmp_path: Path, monitors: dict[str, Any], **more: Any) -> Path:
    path = tmp_path / "foresense.yaml"
    path.write_text(yaml.safe_dump({"monitors": monitors} | more, sort_keys=False))
    return path


def test_check_tells_what_each_monitor_would_watch(tmp_path: Path, make_bundle: MakeBundle) -> None:
    make_bundle(version="2")
    make_bundle(version="10")
    path = configured(tmp_path, {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump", "budget": "2 / week"}})

    code, said = run_check(path)

    assert code == 0
    assert said.startswith("main: plant/+/+ with bundle pump/10: value every 10 s, 2 per week, limit ")
    assert said.endswith(" decades\n")
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "foresense.db").exists()


def test_check_answers_in_json(tmp_path: Path, make_bundle: MakeBundle) -> None:
    make_bundle()
    monitor = {"topic": "plant/{device}/{channel}", "bundle": "pump/1", "lateness_s": 30}
    path = configured(tmp_path, {"main": monitor})

    code, said = run_check(path, "--json")

    answer = json.loads(said)
    assert (code, answer["ok"], answer["problems"]) == (0, True, [])
    assert answer["monitors"][0]["filter"] == "plant/+/+"
    assert answer["monitors"][0]["channels"] == ["value"]
    assert answer["monitors"][0]["lateness_s"] == 30
    assert run_check(path)[1].endswith(" decades, readings up to 30 s late\n")


def test_check_tells_every_problem_it_finds(tmp_path: Path, make_bundle: MakeBundle) -> None:
    make_bundle(channels=("flow", "level"))
    path = configured(
        tmp_path,
        {
            "gone": {"topic": "a/{device}/{channel}", "bundle": "fan"},
            "fields": {"topic": "b/{device}", "bundle": "pump", "payload": "json", "fields": {"speed": "s"}},
            "channels": {"topic": "c/{device}", "bundle": "pump"},
            "good": {"topic": "d/{device}/{channel}", "bundle": "pump"},
        },
        broker={"username": "me", "password_file": "none"},
    )

    code, said = run_check(path)

    assert code == 2
    good, gone, fields, channels, password = said.splitlines()
    assert good.startswith("good: d/+/+")
    assert "monitors.gone: " in gone
    assert "expected a bundle 'fan' with at least one version, got none" in gone
    assert "monitors.fields: fields: expected channels of bundle pump/1 (flow, level), got 'speed'" in fields
    assert "monitors.channels: expected {channel} in the topic, or fields with the channels" in channels
    assert "broker.password_file: " in password


def test_check_refuses_a_bundle_that_was_changed(tmp_path: Path, make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    with (bundle.path / "step.onnx").open("ab") as file:
        file.write(b"x")
    path = configured(tmp_path, {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump"}})
    code, said = run_check(path)
    assert code == 2
    assert "step.onnx: expected" in said


def test_check_refuses_a_configuration_with_mistakes(tmp_path: Path) -> None:
    path = configured(tmp_path, {"main": {"topic": "plant/#"}})
    code, said = run_check(path, "--json")
    assert code == 2
    assert len(json.loads(said)["problems"]) == 2


def test_a_certificate_that_cannot_be_shown_over_http_stops_the_start(tmp_path: Path, make_bundle: MakeBundle) -> None:
    make_bundle()
    tls = {"certificate_file": "none.pem"}
    path = configured(tmp_path, {"main": {"topic": "a/{b}/{channel}", "bundle": "pump"}}, http={"tls": tls})
    wanted = f"{path}: http.tls.certificate_file: {tmp_path}/none.pem: expected a certificate and its key (PEM)"
    code, said = run_check(path)
    assert code == 2
    assert wanted in said
    result = CliRunner().invoke(main, ["serve", str(path)])
    assert result.exit_code == 2
    assert wanted in result.output


def test_serve_ends_with_2_and_a_sentence_when_something_is_wrong(tmp_path: Path, make_bundle: MakeBundle) -> None:
    shutil.rmtree(make_bundle().path)
    path = configured(tmp_path, {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump"}})
    result = CliRunner().invoke(main, ["serve", str(path)])
    assert result.exit_code == 2
    assert result.output.startswith(f"foresense: {path}: monitors.main: ")


def test_check_tells_who_is_told_of_alarms_and_what_is_announced(
    tmp_path: Path, make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bundle()
    monitors = {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump"}}
    told = {"team": {"urls_variable": "TEAM", "least_severity": "major"}}
    path = configured(tmp_path, monitors, notifications=told, home_assistant={"enabled": True})
    monkeypatch.setenv("TEAM", "json://127.0.0.1/hunter2")
    code, said = run_check(path)
    assert code == 0
    assert said.splitlines()[1:] == [
        "notify:team/1: JSON: alarms from major",
        "home assistant: main announced beneath homeassistant/device/ at mqtt://localhost:1883",
    ]
    assert json.loads(run_check(path, "--json")[1])["sinks"] == {"notify:team/1": "JSON"}

    monkeypatch.setenv("TEAM", "jsons://127.0.0.1/hunter2?verify=no")
    code, said = run_check(path)
    assert code == 2
    assert "notifications.team: URL 1: expected a URL without verify=no" in said
    assert "hunter2" not in said
