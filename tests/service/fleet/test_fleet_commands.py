"""The commands about devices, with a real broker and reports as devices send them."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from edge.updates.report import BundleReport, DeviceReport
from service.cli import COMMANDS, main
from tests.edge.updates.fleet import Operator
from tests.system.conftest import Broker, World
from tests.system.conftest import broker as broker

README = (Path(__file__).parents[3] / "service" / "README.md").read_text()


@pytest.fixture
def operator(tmp_path: Path, broker: Broker) -> Operator:
    return Operator(tmp_path, broker, f"fleet{os.getpid()}-{time.monotonic_ns()}")


@pytest.fixture
def world(broker: Broker) -> Iterator[World]:
    client = World(broker)
    yield client
    client.close()


def run(operator: Operator, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--config", str(operator.config)])


def report(world: World, operator: Operator, topic: str, payload: bytes) -> None:
    world.publish([(f"{operator.prefix}/fleet/{topic}/state", payload)], retain=True)


@pytest.mark.parametrize("command", [name for name, where in COMMANDS.items() if where.startswith("service.fleet")])
def test_each_command_of_the_fleet_is_documented(command: str) -> None:
    assert f"foresense {command}" in README.partition("## The fleet")[2].partition("\n## ")[0]


def test_a_fleet_without_devices_says_so(operator: Operator) -> None:
    assert run(operator, "fleet").output == "no device has reported yet\n"


def test_a_device_is_shown_in_a_sentence(operator: Operator, world: World) -> None:
    now_ms = round(time.time() * 1000)
    pump = BundleReport("7", ("7", "6"), "FAILED", "8", reason="expected so, got this", newest_ms=now_ms, alarms=6)
    fan = BundleReport("2", state="DOWNLOADING", version="3", received=25, size=100, since_s=2 * 86_400.0, alarms=3)
    told = DeviceReport("pi-7", ("hall-3",), "0.1.0", now_ms, {"pump": pump, "fan": fan})
    report(world, operator, "pi-7", told.to_bytes())
    lines = run(operator, "fleet").output.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("pi-7 [hall-3]: pump/7, verdicts ")
    assert lines[0].endswith("; 8 FAILED: expected so, got this")
    assert "144 alarms a day, seen " in lines[0]
    assert lines[1].startswith("pi-7 [hall-3]: fan/2, no verdict yet, 1.5 alarms a day, seen ")
    assert lines[1].endswith("; 3 DOWNLOADING (25 %)")
    row = json.loads(run(operator, "fleet", "--json").output)[0]
    assert (row["device"], row["in_charge"], row["previous"], row["reason"]) == ("pi-7", "7", "6", pump.reason)


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"device": "pi-8"}',
        b'{"device": "pi-8", "groups": 3, "agent": "", "time": 0, "bundles": {}}',
        b'{"device": "pi-8", "groups": [], "agent": "", "time": 1e999, "bundles": {}}',
        b'{"device": "pi-8", "groups": [], "agent": "", "time": 0, "bundles": {"pump": {"alarms": []}}}',
        b'{"device": "pi-9", "groups": [], "agent": "", "time": 0, "bundles": {}}',
    ],
)
def test_what_is_no_report_is_passed_over(payload: bytes, operator: Operator, world: World) -> None:
    report(world, operator, "pi-7", DeviceReport("pi-7", (), "0.1.0", 0, {"pump": BundleReport()}).to_bytes())
    report(world, operator, "pi-8", payload)
    assert [row["device"] for row in operator.fleet()] == ["pi-7"]


def test_what_a_device_says_cannot_move_the_terminals_cursor(operator: Operator, world: World) -> None:
    bad = BundleReport("7", state="FAILED", version="8", reason="\x1b[2Jgone\u202e")
    report(world, operator, "pi-7", DeviceReport("pi-7", ("\x1b[31m",), "0.1.0", 0, {"pump": bad}).to_bytes())
    output = run(operator, "fleet").output
    assert "?[2Jgone?" in output
    assert "\x1b" not in output


def test_a_bundle_that_is_not_signed_is_not_deployed(operator: Operator) -> None:
    path = operator.make("2")
    (path / "signature.json").unlink()
    done = run(operator, *operator.deploying("2", "all"))
    assert (done.exit_code, "expected a signed bundle, got one without signature.json" in done.output) == (2, True)


def test_nobody_to_deploy_to_is_told(operator: Operator) -> None:
    operator.make("2")
    done = run(operator, *operator.deploying("2", "pi-7"))
    assert (done.exit_code, "--to: expected a device, group or percentage" in done.output) == (2, True)


def test_one_of_several_brokers_must_be_named(operator: Operator) -> None:
    settings = yaml.safe_load(operator.config.read_text())
    settings["brokers"] = {"north": settings.pop("broker")}
    settings["monitors"]["main"]["broker"] = "north"
    operator.config.write_text(yaml.safe_dump(settings))
    refused = run(operator, "fleet")
    assert (refused.exit_code, "expected --broker to name one of brokers (north), got none" in refused.output) == (
        2,
        True,
    )
    assert run(operator, "fleet", "--broker", "north").exit_code == 0


@pytest.mark.slow
def test_a_broker_that_cannot_be_reached_is_told(operator: Operator) -> None:
    settings = yaml.safe_load(operator.config.read_text())
    settings["broker"]["port"] = 1
    operator.config.write_text(yaml.safe_dump(settings))
    done = run(operator, "fleet")
    assert (done.exit_code, "broker: expected leave to subscribe to" in done.output) == (2, True)


@pytest.mark.parametrize("command", [["deploy", "pump", "2", "--to", "all"], ["rollback", "pump", "--to", "all"]])
def test_nothing_is_ordered_without_a_key(command: list[str], operator: Operator) -> None:
    done = run(operator, *command)
    assert (done.exit_code, "Missing option '--key'" in done.output) == (2, True)


@pytest.mark.parametrize("command", ["deploy", "rollback"])
def test_a_device_whose_last_order_is_of_the_future_is_told_and_given_none(
    command: str, operator: Operator, world: World
) -> None:
    operator.make("2")
    number = time.time_ns() // 1_000_000 + 2 * 86_400_000
    told = DeviceReport("pi-7", (), "0.1.0", 0, {"pump": BundleReport("1", ("1",), number=number)})
    report(world, operator, "pi-7", told.to_bytes())
    world.listen(f"{operator.prefix}/fleet/pi-7/order/pump")
    done = operator.deploy("2", "pi-7") if command == "deploy" else operator.roll_back("pi-7")
    assert done.exit_code == 1
    assert "pi-7: expected its last order about pump to be of the past, got one of 20" in done.output.replace(
        "pi-7: FAILED: ", ""
    )
    assert "take 'number' out of pump/updates.json" in done.output
    assert [payload for _, payload in world.heard if payload] == []


def test_an_order_that_a_device_has_refused_is_told(operator: Operator, world: World) -> None:
    now_ms = round(time.time() * 1000)
    bundle = BundleReport("7", refused="expected so, got this", refused_message="0" * 16)
    report(world, operator, "pi-7", DeviceReport("pi-7", (), "0.1.0", now_ms, {"pump": bundle}).to_bytes())
    assert run(operator, "fleet").output.endswith("; order refused: expected so, got this\n")
