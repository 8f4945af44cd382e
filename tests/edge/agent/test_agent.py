"""The device program against a real broker, killed and cut off, beside the service on the same readings."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import INTERVAL_MS, START_MS, MakeBundle
from tests.edge.agent.conftest import MakeDevice
from tests.faults.proxy import Proxy
from tests.system.conftest import Broker, MakePlant, World, make_plant, wait_until

__all__ = ["make_plant"]

FIRST = START_MS // INTERVAL_MS * INTERVAL_MS


def line(slot: int, interval_ms: int = INTERVAL_MS, spikes: tuple[int, ...] = (20,)) -> str:
    value = 100.0 if slot in spikes else slot % 3 / 10
    return json.dumps({"ts": FIRST // interval_ms * interval_ms + slot * interval_ms, "value": value})


def monitor(root: str, **more: Any) -> dict[str, Any]:
    return {"topic": f"{root}/{{device}}/{{channel}}", "payload": "json", "time": "ts", "bundle": "pump"} | more


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_the_world_is_told_of_the_same_readings_as_a_service_tells_it(
    protocol: int | str,
    broker: Broker,
    world: World,
    make_device: MakeDevice,
    make_plant: MakePlant,
    make_bundle: MakeBundle,
) -> None:
    name = f"same-{protocol}".replace(".", "")
    bundles = make_bundle(streams=("a",)).path.parents[1]
    options = {"connection": {"protocol": protocol}}
    device = make_device(broker, f"edge-{name}", bundles, {"main": monitor(name)}, **options)
    plant = make_plant(broker, name, bundles, {"main": monitor(name)}, protocol=protocol)
    for each in (device, plant):
        world.listen(f"{each.prefix}/#")
        each.start()
        world.wait_for(each.availability, b"online")

    world.publish((f"{name}/a/value", line(slot)) for slot in range(30))

    for topic, count in (("a/alarm", 2), ("a/verdict", 30)):
        assert world.hear(f"{device.prefix}/{topic}", count) == world.hear(f"{plant.prefix}/{topic}", count)
    wait_until(lambda: device.count("outbox") == 0, "the outbox is empty")
    assert device.end() == 0
    world.wait_for(device.availability, b"offline")


def test_what_comes_while_the_broker_is_away_arrives_in_order_once_it_is_back(
    broker: Broker, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    bundles = make_bundle(streams=("a",)).path.parents[1]
    source = {"source": "file:lines", "payload": "json", "time": "ts", "stream": "a", "bundle": "pump"}
    device = make_device(broker, "away", bundles, {"main": source})
    lines = device.config.with_name("lines")
    lines.write_text("".join(f"{line(slot)}\n" for slot in range(10)))
    broker.stop()
    device.start()
    wait_until(lambda: device.query("SELECT sum(count) FROM outbox") == [(10,)], "ten verdicts wait")
    device.kill()
    with lines.open("a") as file:
        file.writelines(f"{line(slot)}\n" for slot in range(10, 40))
    device.start()
    wait_until(lambda: device.query("SELECT sum(count) FROM outbox") == [(42,)], "all wait")

    broker.start()
    world = World(broker)
    world.listen(f"{device.prefix}/#")

    heard = world.hear(f"{device.prefix}/a/verdict", 40)
    assert [each["time"] for each in heard] == sorted({each["time"] for each in heard})
    assert [each["state"] for each in world.hear(f"{device.prefix}/a/alarm", 2)] == ["opened", "closed"]
    wait_until(lambda: device.count("outbox") == 0, "the outbox is empty")
    device.end()
    world.close()


@pytest.mark.slow
def test_after_a_week_without_the_broker_every_alarm_arrives_once_and_in_order(
    broker: Broker, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    minute, week = 60_000, 7 * 24 * 60
    spikes = tuple(range(100, week, 500))
    bundles = make_bundle(streams=("a",), interval_ms=minute).path.parents[1]
    source = {"source": "file:lines", "payload": "json", "time": "ts", "stream": "a", "bundle": "pump"}
    device = make_device(broker, "week", bundles, {"main": source | {"budget": "1 per hour"}}, outbox_mb=1)
    lines = device.config.with_name("lines")
    lines.write_text("".join(f"{line(slot, minute, spikes)}\n" for slot in range(week)))
    broker.stop()
    device.start()

    def read() -> bool:
        places = device.query("SELECT place FROM place")
        return bool(places) and places[0][0] == lines.stat().st_size

    wait_until(read, "the week is read", 120)
    stored = device.query("SELECT sum(length(body)) FROM outbox")[0][0]
    assert stored <= 1 << 20
    assert device.database.stat().st_size < 3 << 20
    opened = device.query("SELECT count(*) FROM outbox WHERE kind = 'alarm'")[0][0] / 2
    assert opened >= len(spikes)

    broker.start()
    world = World(broker)
    world.listen(f"{device.prefix}/a/alarm")
    alarms = world.hear(f"{device.prefix}/a/alarm", int(2 * opened), 60)
    wait_until(lambda: device.count("outbox") == 0, "the outbox is empty", 60)
    device.end()
    world.close()
    assert len(alarms) == len({(each["id"], each["state"]) for each in alarms}) == 2 * opened
    assert [each["start"] for each in alarms] == sorted(each["start"] for each in alarms)
    assert [each["state"] for each in alarms] == ["opened", "closed"] * int(opened)


@pytest.fixture
def proxy(broker: Broker) -> Iterator[Proxy]:
    between = Proxy(broker.port).start()
    yield between
    between.stop()


def test_a_link_that_is_cut_again_and_again_costs_nothing(
    proxy: Proxy, broker: Broker, world: World, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    name, cuts, slots = "cut", 4, 200  # more in so short a time look like two clients of one name
    bundles = make_bundle(streams=("a",)).path.parents[1]
    source = {"source": "file:lines", "payload": "json", "time": "ts", "stream": "a", "bundle": "pump"}
    device = make_device(broker, name, bundles, {"main": source}, connection={"port": proxy.port})
    lines = device.config.with_name("lines")
    lines.touch()
    world.listen(f"{device.prefix}/a/#")
    device.start()
    for part in range(cuts):
        wait_until(lambda: proxy.links == 1, "there is a link", 60)
        heard = proxy.bytes
        with lines.open("a") as file:
            file.writelines(f"{line(slot)}\n" for slot in range(part * slots // cuts, (part + 1) * slots // cuts))
        wait_until(partial(lambda before: proxy.bytes > before + 50, heard), "something is said", 60)
        proxy.cut()

    def told() -> list[str]:
        return [json.loads(said)["time"] for where, said in world.heard if where == f"{device.prefix}/a/verdict"]

    wait_until(lambda: len(set(told())) == slots, "a verdict on each slot", 90)
    firsts = list(dict.fromkeys(told()))
    assert firsts == sorted(firsts)
    assert [each["state"] for each in world.hear(f"{device.prefix}/a/alarm", 2)][:1] == ["opened"]
    assert device.end() == 0


def test_when_standard_input_is_over_all_is_told_and_the_program_ends(
    broker: Broker, world: World, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    slots = 600  # more bytes than are read at once
    bundles = make_bundle(streams=("a",)).path.parents[1]
    source = {"source": "stdin", "payload": "json", "time": "ts", "stream": "a", "bundle": "pump"}
    device = make_device(broker, "piped", bundles, {"main": source})
    world.listen(f"{device.prefix}/a/verdict")
    command = [str(Path(sys.executable).with_name("foresense")), *device.command, str(device.config)]
    lines = "\n".join(line(slot) for slot in range(slots))  # the last one has no end

    done = subprocess.run(command, input=lines, text=True, capture_output=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    times = [each["time"] for each in world.hear(f"{device.prefix}/a/verdict", slots)]
    assert (len(times), times) == (slots, sorted(times))


def test_a_second_one_on_the_same_database_is_refused(
    broker: Broker, world: World, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    bundles = make_bundle(streams=("a",)).path.parents[1]
    device, other = (make_device(broker, name, bundles, {"main": monitor("twice")}) for name in ("twice", "other"))
    world.listen(f"{device.prefix}/#")
    device.start()
    world.wait_for(device.availability, b"online")
    other.configure(database=str(device.database))

    assert other.start().wait() == 2

    assert "another `foresense edge run` has open" in other.log.read_text()
    assert device.end() == 0
