"""What is bad is refused with a reason that the fleet view shows, and the bundle in charge goes on."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.fleet.private_key import PrivateKey
from tests.conftest import write_pump
from tests.edge.updates.conftest import MakeDevice
from tests.edge.updates.fleet import Operator
from tests.edge.updates.models import endless_model, greedy_model, nan_model
from tests.system.conftest import World, wait_until


def expired(operator: Operator) -> Path:
    path = write_pump(operator.bundles, version="6").path
    operator.sign(path, valid_s=1)
    time.sleep(1.1)
    return path


def newer_agent(operator: Operator) -> Path:
    path = write_pump(operator.bundles, version="6").path
    operator.sign(path, agent="99.1")
    return path


BAD: dict[str, tuple[Callable[[Operator], Path], str]] = {
    "expired": (expired, "expected one that has not expired, got one that did at "),
    "an older version": (
        lambda operator: operator.make("4"),
        "expected version 5, which was in charge here, or a newer",
    ),
    "for a newer agent": (newer_agent, "expected foresense 99.1 or newer here, got "),
    "for other channels": (
        lambda operator: operator.make("6", channels=("flow", "pressure")),
        "channels: expected those of version 5,",
    ),
    "gives NaN": (lambda operator: operator.make_bad("6", nan_model()), "expected finite forecasts, got [nan]"),
    "wants all memory": (lambda operator: operator.make_bad("6", greedy_model()), "self-test: "),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_bundle_is_refused_with_its_reason(
    kind: str, operator: Operator, world: World, make_device: MakeDevice
) -> None:
    make, reason = BAD[kind]
    path = make(operator)
    assert_refused(operator, world, make_device, path.name, reason)


def test_a_bundle_signed_with_another_key_is_refused(operator: Operator, world: World, make_device: MakeDevice) -> None:
    other = PrivateKey.make(operator.folder / "other.key", "")
    operator.make("6", other)
    keyring = operator.folder / "other"
    keyring.write_text(f"{other.public.line}\n")
    reason = f"expected one by a trusted key ({operator.key.public.id}), got key {other.public.id}"
    assert_refused(operator, world, make_device, "6", reason, "--keyring", str(keyring))


def test_a_keyring_that_is_damaged_while_the_device_runs_is_told_and_can_be_mended(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device(first="5")
    device.wait_for(world, "NONE", "")
    operator.make("6")
    operator.keyring.write_text("ed25519 abcd release\n")
    done = operator.deploy("6", "all")
    reason = f"{operator.keyring}: line 1: expected 'ed25519 KEY NAME'"
    assert (done.exit_code, f"order refused: {reason}" in done.output) == (1, True), done.output
    (row,) = operator.fleet()
    assert reason in row["refused"]
    assert (row["in_charge"], device.is_running()) == ("5", True)

    operator.keyring.write_text(f"{operator.key.public.line}\n")
    assert operator.deploy("6", "all").exit_code == 0
    assert device.in_charge() == "6"


@pytest.mark.slow
def test_a_bundle_that_hangs_is_refused(operator: Operator, world: World, make_device: MakeDevice) -> None:
    operator.make_bad("6", endless_model())
    assert_refused(operator, world, make_device, "6", "expected it to end by itself, got more than ", "--minutes", "4")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a small file system")
def test_a_bundle_for_which_there_is_no_room_is_refused(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    disk = operator.folder / "pi-1"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=True)
    operator.make("6")
    try:
        assert_refused(operator, world, make_device, "6", "MB free on the disk, got 8")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def assert_refused(
    operator: Operator, world: World, make_device: MakeDevice, version: str, reason: str, *more: str
) -> None:
    device = make_device(first="5")
    device.wait_for(world, "NONE", "")
    done = operator.deploy(version, "all", *more)
    assert done.exit_code == 1, done.output
    assert reason in done.output
    (row,) = operator.fleet()
    assert (row["in_charge"], row["state"], row["version"]) == ("5", "FAILED", version)
    assert reason in row["reason"]
    assert device.in_charge() == "5"
    assert device.is_running()
    assert sorted(entry.name for entry in device.slots.iterdir()) == ["5", "current", "updates.json"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("raises", "expected pump/6 to give verdicts without a failure, got "),
        ("silent", "expected verdicts of all monitors within 0.6 s, got none"),
    ],
)
def test_a_bundle_that_does_badly_in_charge_is_taken_back(
    behaviour: str, reason: str, operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device(first="5", behaviour={"6": behaviour}, interval_ms=100)
    device.wait_for(world, "NONE", "")
    operator.make("6", interval_ms=100)
    done = operator.deploy("6", "all")
    assert done.exit_code == 1
    row: Any
    (row,) = operator.fleet()
    assert (row["in_charge"], row["state"], row["version"]) == ("5", "ROLLED_BACK", "6")
    assert reason in row["reason"]
    assert device.in_charge() == "5"
    device.end()
    device.start()
    operator.make("7", interval_ms=100)
    assert operator.deploy("7", "all").exit_code == 0
    assert device.in_charge() == "7"


def test_a_device_says_so_if_none_of_its_monitors_runs_a_bundle(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device()
    device.wait_for(world, "NONE", "")
    world.publish([(device.topics.order("fan"), operator.order("1", bundle="fan"))])
    wait_until(lambda: b"got fan" in world.heard[-1][1], "it says so")
    (fan,) = (row for row in operator.fleet() if row["bundle"] == "fan")
    assert (fan["state"], fan["reason"]) == (
        "FAILED",
        "expected a bundle that a monitor of this device runs (pump), got fan",
    )


def test_what_is_no_order_and_no_chunk_changes_nothing(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device()
    device.wait_for(world, "NONE", "")
    for junk in (b"{", b"[]", b'{"action": "burn"}', b"\xff", b"x" * 5000, b"[" * 1000, b"FSC1" + bytes(32)):
        world.publish([(device.topics.order("pump"), junk), (device.topics.chunk, junk)])
    operator.make("2")
    assert operator.deploy("2", "all").exit_code == 0
    assert device.in_charge() == "2"
