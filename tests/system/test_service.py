"""The whole service against a real broker: what devices publish, and what the world then sees."""

import json
import time
from typing import Any

import pytest
import yaml

from tests.conftest import INTERVAL_MS, START_MS, MakeBundle
from tests.system.conftest import Broker, MakePlant, World, wait_until

FIRST = START_MS // INTERVAL_MS * INTERVAL_MS


def reading(slot: int, value: float) -> str:
    return json.dumps({"ts": FIRST + slot * INTERVAL_MS, "value": value})


def recording(topic: str, slots: int = 30, spike: int = 20) -> list[tuple[str, bytes | str]]:
    return [(topic, reading(slot, 100.0 if slot == spike else slot % 3 / 10)) for slot in range(slots)]


def monitor(root: str, **more: Any) -> dict[str, Any]:
    return {
        "topic": f"{root}/{{site}}/{{device}}/{{channel}}",
        "payload": "json",
        "time": "ts",
        "bundle": "pump",
    } | more


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_readings_become_verdicts_and_a_spike_becomes_an_alarm(
    protocol: int | str, broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    name = f"spike-{protocol}".replace(".", "")
    bundles = make_bundle(streams=("north/pump-1",)).path.parents[1]
    plant = make_plant(broker, name, bundles, {"main": monitor(name)}, protocol=protocol)
    world.listen(f"{plant.prefix}/#")
    plant.start()
    world.wait_for(plant.availability, b"online")

    world.publish(recording(f"{name}/north/pump-1/value"))

    opened, closed = world.hear(f"{plant.prefix}/north/pump-1/alarm", 2)
    assert opened["state"] == "opened"
    assert opened["end"] is None
    assert (opened["stream"], opened["channel"], opened["bundle"]) == ("north/pump-1", "value", "pump/1")
    assert opened["value"] == 100.0
    assert opened["lower"] < opened["expected"] < opened["upper"] < opened["value"]
    assert closed["id"] == opened["id"]
    assert closed["state"] == "closed"
    verdicts = world.hear(f"{plant.prefix}/north/pump-1/verdict", 30)
    assert [v["status"] for v in verdicts[:5]] == ["learning"] * 4 + ["normal"]
    assert [i for i, v in enumerate(verdicts) if v["anomaly"]] == [20, 21]
    assert plant.count("verdict") == 30
    assert plant.count("alarm") == 1
    wait_until(lambda: plant.count("outbox") == 0, "the outbox is empty")


BAD = {
    "syntax": b"{",
    "missing": b'{"ts": 1700000000, "speed": 1}',
    "not-a-number": b'{"ts": 1700000000000, "value": "21.5 \xc2\xb0C"}',
    "time": b'{"ts": "yesterday", "value": 1}',
    "future": b'{"ts": 4000000000000, "value": 1}',
    "too-large": b" " * 300_000,
}


def test_bad_messages_become_dead_letters_and_the_others_go_on(
    broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    bundles = make_bundle(streams=("north/pump-1",)).path.parents[1]
    plant = make_plant(broker, "bad", bundles, {"main": monitor("bad", max_streams=1)})
    world.listen(f"{plant.prefix}/#")
    plant.start()
    world.wait_for(plant.availability, b"online")

    good = recording("bad/north/pump-1/value")
    world.publish(good[:10])
    world.publish(("bad/north/pump-1/value", payload) for payload in BAD.values())
    world.publish([("bad/north/pump-1/speed", reading(10, 1)), ("bad/north/pump-2/value", reading(10, 1))])
    world.publish([("bad//pump-1/value", reading(10, 1))])
    world.publish(good[10:])

    world.hear(f"{plant.prefix}/north/pump-1/alarm", 2)
    reasons = plant.query("SELECT reason, topic, size, length(payload) FROM dead_letter ORDER BY id")
    assert [row[0] for row in reasons] == [*BAD, "channel", "too-many-streams", "topic"]
    assert reasons[5][2:] == (300_000, 65536)
    assert plant.count("verdict") == 30
    assert plant.end() == 0
    assert "39 received, 30 committed, 0 retained, 9 rejected" in plant.log.read_text()
    assert "0 in flight" in plant.log.read_text()


def test_what_the_broker_retained_is_not_scored(
    broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    bundles = make_bundle(streams=("north/pump-1",)).path.parents[1]
    plant = make_plant(broker, "kept", bundles, {"main": monitor("kept")})
    world.listen(f"{plant.prefix}/#")
    world.publish([("kept/north/pump-1/value", reading(0, 1))], retain=True)
    plant.start()
    world.wait_for(plant.availability, b"online")

    world.publish([("kept/north/pump-1/value", reading(1, 1))])

    world.hear(f"{plant.prefix}/north/pump-1/verdict")
    assert plant.query("SELECT time FROM verdict") == [(FIRST + INTERVAL_MS,)]
    assert plant.end() == 0
    assert "2 received, 1 committed, 1 retained" in plant.log.read_text()


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_a_broker_that_restarts_loses_nothing(
    protocol: int | str, broker: Broker, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    bundles = make_bundle(streams=("north/pump-1",)).path.parents[1]
    plant = make_plant(broker, "restart", bundles, {"main": monitor("restart")}, protocol=protocol)
    world = World(broker)
    world.listen(f"{plant.prefix}/#")
    plant.start()
    world.wait_for(plant.availability, b"online")
    messages = recording("restart/north/pump-1/value")
    world.publish(messages[:15])

    broker.stop()
    broker.start()
    world.publish(messages[15:])  # the session keeps them until the service is back

    wait_until(lambda: plant.count("verdict") == 30, "all verdicts")
    assert plant.count("alarm") == 1
    wait_until(lambda: plant.count("outbox") == 0, "the alarm is delivered")
    world.close()


def test_sigterm_ends_it_within_seconds_and_nothing_comes_again(
    broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    bundles = make_bundle(streams=("north/pump-1",)).path.parents[1]
    plant = make_plant(broker, "term", bundles, {"main": monitor("term")})
    world.listen(f"{plant.prefix}/#")
    plant.start()
    world.wait_for(plant.availability, b"online")
    messages = recording("term/north/pump-1/value")
    world.publish(messages[:15])
    wait_until(lambda: plant.count("verdict") > 0, "a verdict")

    began = time.monotonic()
    assert plant.end() == 0
    assert time.monotonic() - began < 5
    world.wait_for(plant.availability, b"offline")
    assert plant.count("verdict") == 15

    world.publish(messages[15:])
    plant.start()
    wait_until(lambda: plant.count("verdict") == 30, "all verdicts")
    assert plant.end() == 0
    assert "15 received, 15 committed" in plant.log.read_text().rpartition("stopped")[2]


def test_a_killed_service_is_offline_to_the_world(
    broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    plant = make_plant(broker, "gone", make_bundle().path.parents[1], {"main": monitor("gone")})
    world.listen(f"{plant.prefix}/#")
    plant.start()
    world.wait_for(plant.availability, b"online")

    plant.kill()

    world.wait_for(plant.availability, b"offline")


def test_a_killed_service_is_offline_at_each_of_its_brokers(
    broker: Broker, south: Broker, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    plant = make_plant(broker, "both", make_bundle().path.parents[1], {"main": monitor("both", broker="north")})
    settings = yaml.safe_load(plant.config.read_text())
    north = settings.pop("broker")
    settings["brokers"] = {"north": north, "south": north | {"port": south.port}}
    settings["monitors"]["other"] = monitor("both", broker="south")
    plant.config.write_text(yaml.safe_dump(settings))
    worlds = World(broker), World(south)
    for world in worlds:
        world.listen(plant.availability)
    plant.start()
    for world in worlds:
        world.wait_for(plant.availability, b"online")

    plant.kill()

    for world in worlds:
        world.wait_for(plant.availability, b"offline")
        world.close()


def test_a_second_service_on_one_database_is_refused(
    broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    bundles = make_bundle().path.parents[1]
    plant = make_plant(broker, "one", bundles, {"main": monitor("one")})
    world.listen(f"{plant.prefix}/#")
    plant.start()
    world.wait_for(plant.availability, b"online")

    second = make_plant(broker, "one", bundles, {"main": monitor("one")})

    assert second.start().wait() == 2
    assert "got one that another `foresense serve` has open" in second.log.read_text()
