"""The commands, and what a supervisor is told."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from service.cli import main
from tests.conftest import MakeBundle
from tests.edge.agent.conftest import MakeDevice
from tests.system.conftest import Broker


@pytest.fixture
def config(tmp_path: Path, make_bundle: MakeBundle) -> Path:
    make_bundle(channels=("flow", "level"))
    return write(tmp_path, {"pump": {"bundle": "pump", "topic": "plant/{device}/{channel}"}})


def write(folder: Path, monitors: dict[str, Any], **more: Any) -> Path:
    path = folder / "edge.yaml"
    path.write_text(yaml.safe_dump({"device": "pi", "monitors": monitors} | more))
    return path


def test_check_tells_what_would_be_watched(config: Path) -> None:
    result = CliRunner().invoke(main, ["edge", "check", str(config)])
    assert result.exit_code == 0
    assert result.output.startswith(
        "pump: plant/{device}/{channel} with bundle pump/1: flow, level every 10 s, 1 per month, limit"
    )


def test_check_tells_every_problem(config: Path) -> None:
    monitors = {
        "gone": {"bundle": "gone", "source": "stdin"},
        "odd": {"bundle": "pump", "source": "no_such_module:read"},
        "runs": {"bundle": "pump", "source": "stdin"},
    }
    write(config.parent, monitors, broker={"host": "x", "tls": {"ca_file": "ca.pem"}})
    result = CliRunner().invoke(main, ["edge", "check", str(config), "--json"])
    assert result.exit_code == 2
    told = json.loads(result.output)
    assert [each["monitor"] for each in told["monitors"]] == ["odd", "runs"]
    gone, odd, broker = told["problems"]
    assert "monitors.gone" in gone
    assert "expected a bundle 'gone' with at least one version" in gone
    assert "monitors.odd: source: expected a function no_such_module:read" in odd
    assert "broker.tls.ca_file" in broker


def test_check_tells_a_runtime_that_is_not_known(config: Path) -> None:
    write(config.parent, {"pump": {"bundle": "pump", "source": "stdin"}}, runtime="abacus")
    result = CliRunner().invoke(main, ["edge", "check", str(config)])
    assert result.exit_code == 2
    assert "runtime: expected one of" in result.output


def test_status_tells_that_nothing_runs_and_what_waits(config: Path) -> None:
    result = CliRunner().invoke(main, ["edge", "status", str(config)])
    assert result.exit_code == 1
    assert "not running\nstreams: 0, alarms open: 0\noutbox: 0 rows" in result.output


def test_a_supervisor_is_told_from_beginning_to_end(
    tmp_path: Path, broker: Broker, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    monitor = {"source": "file:lines", "bundle": "pump"}
    device = make_device(broker, "supervised", make_bundle().path.parents[1], {"main": monitor})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(20)
        device.environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        device.start()
        assert supervisor.recv(1000) == b"READY=1"
        for _ in range(3):
            assert supervisor.recv(1000).startswith(b"WATCHDOG=1\nSTATUS=")
        running = CliRunner().invoke(main, ["edge", "status", str(device.config), "--json"])
        assert json.loads(running.output)["running"]
        assert device.end() == 0
        told = b""
        while not told.startswith(b"STOPPING=1"):
            told = supervisor.recv(1000)
