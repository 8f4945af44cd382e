"""The service is killed at a random moment and started again, and nobody can tell from what it wrote."""

import json
import random
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.conftest import INTERVAL_MS, START_MS, MakeBundle
from tests.system.conftest import Broker, MakePlant, Plant, World, wait_until

FIRST = START_MS // INTERVAL_MS * INTERVAL_MS
STREAMS = tuple(f"north/pump-{number}" for number in range(6))
SLOTS = 60
SPIKES = {20: STREAMS, 45: STREAMS[:3]}

VERDICTS = """SELECT time, name, channel, value, expected, lower, upper, score, status
    FROM verdict JOIN stream ON stream.id = verdict.stream ORDER BY time, name, channel"""
ALARMS = """SELECT alarm.id, name, bundle, channel, "start", "end", score, value, expected, lower, upper,
    peak_score, peak_time, peak_channel, raised, incident
    FROM alarm JOIN stream ON stream.id = alarm.stream ORDER BY alarm.id"""

INCIDENTS = 'SELECT id, site, "start", "end", newest, alarms FROM incident ORDER BY id'


def recording(root: str) -> list[tuple[str, bytes | str]]:
    """Return the readings of all streams in order of time; their values are the same each time."""
    chance = random.Random(7)  # noqa: S311
    return [
        (
            f"{root}/{stream}/value",
            json.dumps(
                {
                    "ts": FIRST + slot * INTERVAL_MS + chance.randrange(INTERVAL_MS),
                    "value": 100.0 if stream in SPIKES.get(slot, ()) else chance.random(),
                }
            ),
        )
        for slot in range(SLOTS)
        for stream in STREAMS
    ]


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """Return where the first test leaves the tables of a run that nobody disturbed, for all others."""
    return {}


def prepare(broker: Broker, make_plant: MakePlant, bundles: Path, name: str) -> Plant:
    settings = {"topic": f"{name}/{{site}}/{{device}}/{{channel}}", "payload": "json", "time": "ts", "bundle": "pump"}
    return make_plant(broker, name, bundles, {"main": settings})


def wait_for_all(plant: Plant) -> None:
    wait_until(lambda: plant.count("verdict") == SLOTS * len(STREAMS), "all verdicts")
    wait_until(lambda: plant.count("outbox") == 0, "all alarms are delivered")


def alarms_heard(world: World, plant: Plant) -> set[str]:
    """Return the ids of the alarms that the world was told of, by themselves or within an incident."""

    def bodies(kind: str) -> list[Any]:
        heard = (body for topic, body in world.heard if topic.startswith(f"{plant.prefix}/") and topic.endswith(kind))
        return [json.loads(body) for body in heard]

    return {body["id"] for body in [*bodies("/alarm"), *(m for body in bodies("/incident") for m in body["members"])]}


@pytest.mark.parametrize("seed", range(20))
def test_killed_at_any_moment_it_writes_what_it_would_have_written(
    seed: int,
    broker: Broker,
    world: World,
    make_plant: MakePlant,
    make_bundle: MakeBundle,
    undisturbed: dict[str, Any],
) -> None:
    bundles = make_bundle(streams=STREAMS).path.parents[1]
    if not undisturbed:
        calm = prepare(broker, make_plant, bundles, "undisturbed")
        world.listen(f"{calm.prefix}/#")
        calm.start()
        world.wait_for(calm.availability, b"online")
        world.publish(recording("undisturbed"))
        wait_for_all(calm)
        undisturbed |= {"verdicts": calm.query(VERDICTS), "alarms": calm.query(ALARMS)}
        undisturbed["incidents"] = calm.query(INCIDENTS)
        assert len(undisturbed["alarms"]) == undisturbed["incidents"][0][-1] == 9
        calm.kill()

    chance = random.Random(seed)  # noqa: S311
    name = f"killed-{seed}"
    plant = prepare(broker, make_plant, bundles, name)
    world.listen(f"{plant.prefix}/#")
    plant.start()
    world.wait_for(plant.availability, b"online")
    devices = Thread(target=world.publish, args=(recording(name),), kwargs={"pause_s": 0.001})
    devices.start()
    for moment_s in [chance.uniform(0, 0.5), chance.uniform(0, 1.0)][: chance.randint(1, 2)]:
        devices.join(moment_s)
        plant.kill()
        plant.start()
    devices.join()
    wait_for_all(plant)

    assert plant.query(VERDICTS) == undisturbed["verdicts"]
    assert plant.query(ALARMS) == undisturbed["alarms"]
    assert plant.query(INCIDENTS) == undisturbed["incidents"]
    wait_until(lambda: alarms_heard(world, plant) == {alarm[0] for alarm in undisturbed["alarms"]}, "every alarm heard")
    assert plant.count("dead_letter") == 0
