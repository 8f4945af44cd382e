"""What is written, acknowledged and told, wherever the device program is killed and when nothing can be written."""

import json
import signal

import pytest

from edge.operation.failpoint import VARIABLE
from tests.conftest import MakeBundle
from tests.edge.agent.conftest import MakeDevice
from tests.edge.agent.test_agent import line, monitor
from tests.system.conftest import Broker, World, wait_until


@pytest.mark.parametrize("place", ["before-commit", "after-commit", "before-acknowledge", "after-acknowledge"])
@pytest.mark.parametrize("count", [2, 4])
def test_killed_wherever_it_is_nothing_is_lost_and_no_alarm_comes_twice(
    place: str, count: int, broker: Broker, world: World, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    name = f"killed-{place}-{count}"
    bundles = make_bundle(streams=("a",)).path.parents[1]
    device = make_device(broker, name, bundles, {"main": monitor(name)}, unacknowledged=5)
    device.environment = {VARIABLE: f"{place}:{count}"}
    world.listen(f"{device.prefix}/#")
    device.start()
    world.wait_for(device.availability, b"online")

    world.publish(((f"{name}/a/value", line(slot)) for slot in range(40)), pause_s=0.02)
    assert device.wait() == -signal.SIGKILL
    device.environment = {}
    device.start()

    def slots() -> set[str]:
        return {json.loads(said)["time"] for where, said in world.heard if where == f"{device.prefix}/a/verdict"}

    wait_until(lambda: len(slots()) == 40, "a verdict on each slot")
    wait_until(lambda: device.count("outbox") == 0, "the outbox is empty")
    alarms = world.hear(f"{device.prefix}/a/alarm", 2)
    assert [each["state"] for each in alarms] == ["opened", "closed"]
    assert len({each["id"] for each in alarms}) == 1


def test_on_a_full_disk_alarms_are_told_and_nothing_is_acknowledged_until_it_can_be_written(
    broker: Broker, world: World, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    name = "full"
    bundles = make_bundle(streams=("a",)).path.parents[1]
    device = make_device(broker, name, bundles, {"main": monitor(name)}, write_every="1h", unacknowledged=1000)
    device.environment = {VARIABLE: "before-commit:2=full"}  # the first is of the start
    world.listen(f"{device.prefix}/#")
    device.start()
    world.wait_for(device.availability, b"online")

    world.publish((f"{name}/a/value", line(slot)) for slot in range(22))

    assert world.hear(f"{device.prefix}/a/alarm")[0]["state"] == "opened"
    wait_until(lambda: device.count("alarm") == 1, "the alarm is written once there is room")
    assert "disk is full" in device.log.read_text()
    assert device.end() == 0
