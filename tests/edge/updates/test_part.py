"""A device, a broker and an operator, all real: updates from the order to the end."""

import hashlib
import json
import subprocess
import time

from edge.updates.order import Order, check_order
from edge.updates.report import BundleReport, DeviceReport
from edge.updates.topics import DeviceTopics
from service.fleet.private_key import PrivateKey
from service.fleet.targets import choose
from tests.edge.updates.conftest import MakeDevice
from tests.edge.updates.fleet import COMMAND, Operator
from tests.system.conftest import World, wait_until


def test_a_deployed_bundle_is_fetched_tried_and_kept(operator: Operator, world: World, make_device: MakeDevice) -> None:
    device = make_device()
    operator.make("2")
    device.wait_for(world, "NONE", "")
    done = operator.deploy("2", "pi-1")
    assert done.exit_code == 0, done.output
    states = [each["state"] for each in device.reports(world)]
    order = ["DOWNLOADING", "DOWNLOADED", "VERIFIED", "ACTIVE", "COMMITTED"]
    assert [state for state in states if state in order] == order
    assert device.in_charge() == "2"
    assert device.end() == 0


def test_a_download_goes_on_after_the_deploying_side_and_the_device_were_away(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device()
    operator.make("2")
    device.wait_for(world, "NONE", "")
    order = operator.order("2", id=hashlib.sha256(operator.deployment("2").encode()).hexdigest()[:16])
    world.publish([(device.topics.order("pump"), order)], retain=True)  # and nobody serves it
    device.wait_for(world, "DOWNLOADING", "2")
    assert device.end() == 0
    device.start()
    done = operator.deploy("2", "pi-1")
    assert done.exit_code == 0, done.output
    assert device.in_charge() == "2"


def test_the_bundle_in_charge_is_not_fetched_again(operator: Operator, world: World, make_device: MakeDevice) -> None:
    device = make_device()
    device.wait_for(world, "NONE", "")
    done = operator.deploy("1", "pi-1")
    assert done.exit_code == 0, done.output
    assert [each["state"] for each in device.reports(world)] == ["NONE", "COMMITTED"]
    assert not [topic for topic, _ in world.heard if topic == device.topics.request]


def test_a_rollout_stops_with_the_first_device_that_fails(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    devices = {name: make_device(name, behaviour={"2": "raises"}) for name in ("pi-1", "pi-2", "pi-3")}
    for device in devices.values():
        device.wait_for(world, "NONE", "")
    operator.make("2")
    done = operator.deploy("2", "100%", "--json")
    assert done.exit_code == 1
    told = json.loads(done.output)
    first = choose("all", "pump", dict.fromkeys(devices, DeviceReport("", (), "", 0, {"pump": BundleReport()})))[0]
    assert (told["stopped"], told["done"], told["failed"], len(told["waiting"])) == (True, [], [first], 2)
    assert told["said"][first].startswith("ROLLED_BACK: on trial: expected pump/2 to give verdicts without a failure")
    states = {row["device"]: (row["in_charge"], row["state"]) for row in operator.fleet()}
    assert states == dict.fromkeys(devices, ("1", "NONE")) | {first: ("1", "ROLLED_BACK")}


def test_a_bundle_on_trial_is_rolled_back_at_once_if_it_is_ordered(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device(healthy_s=300.0)
    device.wait_for(world, "NONE", "")
    operator.make("2")
    with subprocess.Popen([COMMAND, *operator.deploying("2", "pi-1")], stdout=subprocess.DEVNULL) as deploying:
        device.wait_for(world, "ACTIVE", "2", 60)
        deploying.kill()
    assert device.in_charge() == "2"
    done = operator.roll_back("pi-1")
    assert (done.exit_code, done.output) == (0, "pi-1: ROLLED_BACK: version 1 is in charge\n")
    assert device.in_charge() == "1"


def test_a_rollback_with_nothing_before_says_so(operator: Operator, world: World, make_device: MakeDevice) -> None:
    device = make_device()
    device.wait_for(world, "NONE", "")
    done = operator.roll_back("pi-1")
    assert done.exit_code == 1
    assert "expected a version before 1 on this device, got none" in done.output
    assert device.in_charge() == "1"


def test_a_new_key_is_trusted_and_an_old_one_is_not_any_more_without_a_restart(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device()
    device.wait_for(world, "NONE", "")
    new = PrivateKey.make(operator.folder / "new.key", "")
    operator.keyring.write_text(f"{operator.key.public.line}\n{new.public.line}\n")
    operator.key = new
    operator.make("2")
    done = operator.deploy("2", "pi-1")
    assert done.exit_code == 0, done.output
    assert device.in_charge() == "2"

    operator.keyring.write_text(f"{new.public.line}\n")
    done = operator.roll_back("pi-1")
    assert done.exit_code == 1
    assert f"rollback: signature: expected one by a trusted key ({new.public.id})" in done.output
    assert device.in_charge() == "2"


def test_what_nobody_who_is_trusted_has_ordered_changes_nothing(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device()
    device.wait_for(world, "NONE", "")
    operator.make("2")
    stranger = PrivateKey.make(operator.folder / "stranger.key", "")
    world.publish([(device.topics.order("pump"), operator.order("2", stranger))])
    wait_until(lambda: f"got key {stranger.public.id}" in operator.fleet()[0]["refused"], "it says so")
    world.publish([(device.topics.order("pump"), operator.order("2", device="pi-2"))])
    wait_until(lambda: "got one about pump on pi-2" in operator.fleet()[0]["refused"], "it says so")
    assert {each["state"] for each in device.reports(world)} == {"NONE"}
    assert not [topic for topic, _ in world.heard if topic == device.topics.request]
    assert operator.deploy("2", "pi-1").exit_code == 0
    assert operator.fleet()[0]["refused"] == ""


def test_an_order_that_somebody_has_kept_is_of_no_use_even_after_a_restart(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device()
    device.wait_for(world, "NONE", "")
    operator.make("2")
    assert operator.deploy("2", "pi-1").exit_code == 0
    assert operator.roll_back("pi-1").exit_code == 0
    topic = device.topics.order("pump")
    kept = [payload for at, payload in list(world.heard) if at == topic and payload]
    assert len(kept) == 2
    assert device.end() == 0
    device.start()
    before = len(device.reports(world))
    wait_until(lambda: len(device.reports(world)) > before, "it is back")
    world.publish([(topic, kept[0])])
    wait_until(lambda: "expected one given after the last" in operator.fleet()[0]["refused"], "it says so")
    row = operator.fleet()[0]
    assert (row["in_charge"], row["state"], row["version"]) == ("1", "ROLLED_BACK", "2")


def test_an_update_is_withdrawn_by_a_signed_order_only(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device()
    device.wait_for(world, "NONE", "")
    operator.make("2")
    topic = device.topics.order("pump")
    world.publish([(topic, operator.order("2"))])  # which nobody serves
    device.wait_for(world, "DOWNLOADING", "2")
    world.publish([(topic, b""), (topic, b"{}")])
    wait_until(lambda: operator.fleet()[0]["refused"] != "", "it says so")
    assert operator.fleet()[0]["state"] == "DOWNLOADING"
    world.publish([(topic, operator.order("2", action="withdraw", id="1" * 16))])
    assert device.wait_for(world, "FAILED", "2")["reason"] == "withdrawn by the operator"


def test_a_rollout_that_stops_withdraws_the_order_of_a_device_that_is_away(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device(behaviour={"2": "raises"})
    device.wait_for(world, "NONE", "")
    away = DeviceTopics(operator.prefix, "pi-8")  # which comes before pi-1
    report = DeviceReport("pi-8", (), "0.1.0", 0, {"pump": BundleReport("1", ("1",))})
    world.publish([(away.state, report.to_bytes())], retain=True)
    operator.make("2")
    assert operator.deploy("2", "all").exit_code == 1

    def left() -> list[Order]:
        messages = [payload for topic, payload in list(world.heard) if topic == away.order("pump")]
        return [check_order(each, operator.keys) for each in messages]

    wait_until(lambda: len(left()) == 2, "both orders are heard")
    deploy, withdraw = left()
    assert (deploy.action, withdraw.action) == ("deploy", "withdraw")
    assert (withdraw.device, withdraw.deployment) == ("pi-8", deploy.deployment)
    assert withdraw.number > deploy.number


def test_a_computer_whose_clock_is_behind_gives_orders_that_are_taken(
    operator: Operator, world: World, make_device: MakeDevice
) -> None:
    device = make_device()
    device.wait_for(world, "NONE", "")
    operator.make("2")
    ahead_ms = time.time_ns() // 1_000_000 + 3_600_000
    order = operator.order("2", action="withdraw", number=ahead_ms)
    world.publish([(device.topics.order("pump"), order)])
    wait_until(lambda: device.ledger().number == ahead_ms, "it has taken the order")
    device.end()
    device.start()
    wait_until(lambda: device.reports(world)[-1]["number"] == ahead_ms, "it says so")
    assert operator.deploy("2", "pi-1").exit_code == 0
    assert device.ledger().number == ahead_ms + 1
