"""`foresense doctor` as it is typed."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from service.cli import main
from service.doctor.command import needed_messages
from tests.conftest import MakeBundle
from tests.service.conftest import MakeMonitor
from tests.system.conftest import Broker, free_port


@pytest.fixture
def config(tmp_path: Path, broker: Broker, make_bundle: MakeBundle) -> Path:
    make_bundle()
    path = tmp_path / "foresense.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "broker": {"host": "127.0.0.1", "port": broker.port, "client_id": "doctor"},
                "publish": {"prefix": "doctor-own"},
                "monitors": {"main": {"topic": "doctor/{device}/{channel}", "bundle": "pump"}},
            }
        )
    )
    return path


def test_a_line_for_each_thing_that_was_looked_at(config: Path) -> None:
    result = CliRunner().invoke(main, ["doctor", str(config)])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"ok    configuration: {config} is in order: main"
    assert {line[:4] for line in lines} <= {"ok  ", "warn"}
    subjects = {line[6:].partition(":")[0] for line in lines}
    assert subjects >= {"configuration", "database", "limits", "service", "disk", "file system", "clock", "broker"}
    assert lines[-1].startswith("ok    broker: keeps at least 2000 messages for a client that is away")


def test_something_that_fails_makes_it_exit_with_1(config: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    settings["broker"]["port"] = free_port()
    settings["monitors"]["main"]["bundle"] = "none"
    config.write_text(yaml.safe_dump(settings))

    result = CliRunner().invoke(main, ["doctor", str(config), "--json"])

    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["ok"]) == (1, False)
    failed = [finding for finding in answer["findings"] if finding["level"] == "fail"]
    assert [finding["subject"] for finding in failed] == ["configuration", "broker"]
    assert all(finding["remedy"] for finding in failed)


def test_what_the_service_would_refuse_at_its_start_is_told(config: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    settings["sinks"] = {"pager": {"webhook": {"url": "https://plant.example", "secret_file": "none"}}}
    settings["http"] = {"tls": {"certificate_file": "none.pem"}}
    config.write_text(yaml.safe_dump(settings))
    result = CliRunner().invoke(main, ["doctor", str(config)])
    assert result.exit_code == 1
    sink, http = result.stdout.splitlines()[:2]
    assert sink.startswith(f"fail  configuration: {config}: sinks.pager: ")
    assert http.startswith(f"fail  configuration: {config}: http.tls.certificate_file: ")


def test_a_configuration_with_mistakes_is_all_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "foresense.yaml"
    path.write_text("monitors: {main: {topic: 'a/#'}}\n")
    result = CliRunner().invoke(main, ["doctor", str(path)])
    assert result.exit_code == 1
    assert [line[:20] for line in result.stdout.splitlines()] == ["fail  configuration:"] * 2


def test_a_password_file_that_is_missing_is_told_and_the_rest_goes_on(config: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    settings["broker"] |= {"username": "me", "password_file": "none"}
    config.write_text(yaml.safe_dump(settings))
    result = CliRunner().invoke(main, ["doctor", str(config)])
    assert result.exit_code == 1
    assert "fail  broker: cannot be tried: password_file: " in result.stdout


def test_what_the_broker_is_to_keep_is_twice_what_comes_in_a_quarter_of_an_hour(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor("plant/{device}/{channel}", {"channels": ("flow", "level")})
    assert needed_messages([monitor], {"main": 10, "other": 5}) == 10 * 2 * 900 * 2 // 10
    assert needed_messages([monitor], {}) is None
