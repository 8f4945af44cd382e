"""Bundles that cannot be opened any more: the device goes on with what it has, and says so."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edge.bundle import GOLDEN, MANIFEST, STEP_ONNX
from edge.updates.ledger import Ledger, State
from edge.updates.topics import DeviceTopics
from service.cli import main
from tests.conftest import MakeBundle
from tests.edge.agent.conftest import Device, MakeDevice
from tests.edge.agent.test_agent import line, monitor
from tests.edge.updates.fleet import COMMAND, Operator
from tests.system.conftest import Broker, World, wait_until

SLOTS = 12


def source(bundle: str) -> dict[str, Any]:
    """Return a monitor of a file beside the configuration, whose stream has the bundle's name."""
    read = {"source": "file:lines", "payload": "json", "time": "ts"}
    return {"bundle": bundle, "stream": bundle.partition("/")[0]} | read


def fill(device: Device) -> None:
    """Write the file that the monitors read."""
    device.config.with_name("lines").write_text("".join(f"{line(slot)}\n" for slot in range(SLOTS)))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda bundle: truncate(bundle / STEP_ONNX),
    "missing": lambda bundle: (bundle / GOLDEN).unlink(),
    "emptied": lambda bundle: (bundle / MANIFEST).write_bytes(b""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_gives_way_to_the_version_before_it(
    damage: str, broker: Broker, world: World, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    for version in ("1", "2", "3"):
        bundle = make_bundle(streams=("pump",), version=version)
    DAMAGES[damage](bundle.path)
    device = make_device(broker, f"before-{damage.replace(' ', '-')}", bundle.path.parents[1], {"main": source("pump")})
    fill(device)
    world.listen(f"{device.prefix}/pump/verdict")
    device.start()

    verdicts = world.hear(f"{device.prefix}/pump/verdict", SLOTS)

    assert {each["bundle"] for each in verdicts} == {"pump/2"}
    assert "main: goes on with version 2: " in device.log.read_text()
    assert device.end() == 0
    checked = CliRunner().invoke(main, ["edge", "check", str(device.config)])
    assert (checked.exit_code, "pump/2" in checked.output, "pump/3" in checked.output) == (2, True, True)


def test_a_damaged_bundle_with_none_before_it_leaves_the_others_at_work(
    broker: Broker, world: World, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    for name in ("pump", "fan"):
        bundle = make_bundle(streams=(name,), name=name)
    truncate(bundle.path.parents[1] / "pump" / "1" / STEP_ONNX)
    monitors = {"broken": source("pump"), "sound": source("fan")}
    device = make_device(broker, "others", bundle.path.parents[1], monitors)
    fill(device)
    world.listen(f"{device.prefix}/+/verdict")
    device.start()

    assert len(world.hear(f"{device.prefix}/fan/verdict", SLOTS)) == SLOTS
    assert "broken: goes on with no bundle: " in device.log.read_text()
    assert device.end() == 0


@pytest.mark.parametrize("bundle", ["pump", "pump/2"], ids=["all are damaged", "the version that is asked for is"])
def test_without_a_bundle_that_can_be_opened_the_device_ends(
    bundle: str, broker: Broker, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    for version in ("1", "2"):
        made = make_bundle(streams=("pump",), version=version)
        if version == "2" or bundle == "pump":
            truncate(made.path / STEP_ONNX)
    device = make_device(broker, f"none-{len(bundle)}", made.path.parents[1], {"main": source(bundle)})

    assert device.start().wait() == 2

    assert "monitors.main: " in device.log.read_text()
    assert "step.onnx: expected " in device.log.read_text()


@pytest.fixture
def operator(broker: Broker, tmp_path: Path) -> Operator:
    return Operator(tmp_path / "operator", broker, "damage")


def told(world: World, operator: Operator, device: str, state: str) -> Any:
    """Return the first report of a device in which the pump is in a state."""
    topic = DeviceTopics(operator.prefix, device).state

    def found() -> list[Any]:
        reports = [json.loads(payload)["bundles"]["pump"] for where, payload in list(world.heard) if where == topic]
        return [each for each in reports if each["state"] == state]

    wait_until(lambda: bool(found()), f"{state} is told")
    return found()[0]


def test_a_signed_bundle_that_cannot_be_opened_any_more_gives_way_and_the_fleet_is_told(
    broker: Broker, world: World, make_device: MakeDevice, operator: Operator
) -> None:
    operator.make("1", streams=("pump",))
    slots = operator.make_bad("2", b"what an older runtime could open").parent
    Ledger(State.COMMITTED, "2", slots=("2", "1"), highest=2).save(slots)
    device = make_device(
        broker, "signed", operator.bundles, {"main": source("pump")},
        publish={"prefix": operator.prefix}, updates={"keyring": str(operator.keyring)},
    )  # fmt: skip
    fill(device)
    world.listen(f"{operator.prefix}/#")
    device.start()

    verdicts = world.hear(f"{operator.prefix}/pump/verdict", SLOTS)

    report = told(world, operator, "signed", "ROLLED_BACK")
    assert {each["bundle"] for each in verdicts} == {"pump/1"}
    assert (report["in_charge"], report["version"]) == ("1", "2")
    assert "step.onnx" in report["reason"]
    assert not (slots / "2").exists()
    assert device.end() == 0


@pytest.mark.parametrize("version", ["1", "2"], ids=["the same", "another"])
def test_a_signed_bundle_with_none_before_it_has_failed_until_one_is_deployed(
    version: str, broker: Broker, world: World, make_device: MakeDevice, operator: Operator, tmp_path: Path
) -> None:
    operator.make("1", name="fan", streams=("fan",))
    operator.make("1", streams=("a",))
    bundles = shutil.copytree(operator.bundles, tmp_path / "bundles")
    truncate(bundles / "pump" / "1" / STEP_ONNX)
    device = make_device(
        broker, "healed", bundles, {"broken": monitor("healed"), "sound": source("fan")},
        publish={"prefix": operator.prefix}, updates={"keyring": str(operator.keyring), "healthy": "100ms"},
    )  # fmt: skip
    fill(device)
    world.listen(f"{operator.prefix}/#")
    device.start()
    report = told(world, operator, "healed", "FAILED")
    assert (report["in_charge"], report["version"]) == ("1", "1")
    assert "step.onnx: expected the " in report["reason"]
    assert len(world.hear(f"{operator.prefix}/fan/verdict", SLOTS)) == SLOTS

    if version == "2":
        operator.make(version, streams=("a",))
    with subprocess.Popen([COMMAND, *operator.deploying(version, "healed")], stdout=subprocess.DEVNULL) as deploying:
        wait_until(lambda: "subscribed to healed/+/+" in device.log.read_text(), "its topics are followed", 60)
        world.publish(("healed/a/value", line(slot)) for slot in range(SLOTS))
        assert deploying.wait(60) == 0

    verdicts = world.hear(f"{operator.prefix}/a/verdict", SLOTS)
    assert {each["bundle"] for each in verdicts} == {f"pump/{version}"}
    assert device.end() == 0
