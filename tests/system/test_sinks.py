"""A real InfluxDB and a webhook are told all that the service says, whatever happens on the way."""

import json
import random
import signal
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from click.testing import CliRunner

from edge.operation.failpoint import VARIABLE
from service.cli import main
from tests.conftest import INTERVAL_MS, START_MS, MakeBundle
from tests.models.data.sources.conftest import Server, guarded_influx
from tests.service.relays.conftest import Receiver, Reply, Request, receiver
from tests.system.conftest import Broker, MakePlant, Plant, World, wait_until

__all__ = ["guarded_influx", "receiver"]
FIRST = START_MS // INTERVAL_MS * INTERVAL_MS
STREAMS = tuple(f"north/pump-{number}" for number in range(6))
SLOTS = 60
SPIKES = {20: STREAMS, 45: STREAMS[:3]}
ALARMS = """SELECT alarm.id, "start", "end", name FROM alarm JOIN stream ON stream.id = alarm.stream
    WHERE raised IS NOT NULL ORDER BY alarm.id"""
VERDICTS = """SELECT time, name, value, expected, lower, upper, score, status = 2
    FROM verdict JOIN stream ON stream.id = verdict.stream ORDER BY time, name"""


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


def prepare(broker: Broker, make_plant: MakePlant, bundles: Path, name: str) -> Plant:
    settings = {"topic": f"{name}/{{site}}/{{device}}/{{channel}}", "payload": "json", "time": "ts", "bundle": "pump"}
    return make_plant(broker, name, bundles, {"main": settings})


def wait_for_all(plant: Plant) -> None:
    wait_until(lambda: plant.count("verdict") == SLOTS * len(STREAMS), "all verdicts")
    wait_until(lambda: plant.count("outbox") == 0, "all alarms are delivered")


def add_sinks(plant: Plant, **sinks: Any) -> None:
    (plant.config.parent / "secret").write_text("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\n")
    (plant.config.parent / "password").write_text("right\n")
    settings = yaml.safe_load(plant.config.read_text())
    plant.config.write_text(yaml.safe_dump(settings | {"sinks": sinks}))


def points(server: Server, query: str) -> list[tuple[Any, ...]]:
    asked = {"db": "plant", "q": query, "epoch": "ms", "u": "reader", "p": "right"}
    status, body = server.ask("GET", f"/query?{urlencode(asked)}")
    assert status == 200, body
    found = json.loads(body)["results"][0].get("series", [])
    return [tuple(values) for series in found for values in series["values"]]


def status(plant: Plant) -> str:
    return CliRunner().invoke(main, ["status", str(plant.config)]).stdout


def told(receiver: Receiver) -> dict[str, Counter[bytes]]:
    """Return the bodies of the events that the webhook has taken, by id."""
    events: dict[str, Counter[bytes]] = {}
    for request in receiver.taken:
        events.setdefault(request.headers["webhook-id"], Counter())[request.body] += 1
    return events


def alarms_told(receiver: Receiver) -> set[str]:
    ids = set()
    for request in receiver.taken:
        data = json.loads(request.body)["data"]
        ids |= {data["id"]} if "members" not in data else {member["id"] for member in data["members"]}
    return ids


def test_influxdb_has_all_that_the_database_has_and_the_webhook_each_event_once(
    broker: Broker,
    world: World,
    make_plant: MakePlant,
    make_bundle: MakeBundle,
    guarded_influx: Server,
    receiver: Receiver,
) -> None:
    plant = prepare(broker, make_plant, make_bundle(streams=STREAMS).path.parents[1], "sinks-calm")
    history = {"url": guarded_influx.url, "database": "plant", "user": "reader", "password_file": "password"}
    add_sinks(plant, history={"influx": history}, pager={"webhook": {"url": receiver.url, "secret_file": "secret"}})
    world.listen(f"{plant.prefix}/#")
    plant.start()
    world.wait_for(plant.availability, b"online")
    world.publish(recording("sinks-calm"))
    wait_for_all(plant)
    assert plant.end() == 0

    verdicts = points(
        guarded_influx, "SELECT stream, value, expected, lower, upper, score, anomaly FROM verdict ORDER BY time"
    )
    assert sorted(verdicts, key=lambda point: point[:2]) == plant.query(VERDICTS)
    alarms = points(guarded_influx, "SELECT id, \"end\", stream FROM alarm WHERE state = 'closed'")
    assert sorted((ident, start, end, name) for start, ident, end, name in alarms) == plant.query(ALARMS)
    events = told(receiver)
    assert len(events) == sum(bodies.total() for bodies in events.values()) >= 2
    assert alarms_told(receiver) == {alarm[0] for alarm in plant.query(ALARMS)}
    for text in (plant.log.read_text(), plant.config.read_text()):
        assert "right" not in text
        assert "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3" not in text


@pytest.mark.slow
def test_killed_while_it_tells_the_webhook_it_tells_it_again_under_the_same_id(
    broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle, receiver: Receiver
) -> None:
    plant = prepare(broker, make_plant, make_bundle(streams=STREAMS).path.parents[1], "sinks-killed")
    add_sinks(plant, pager={"webhook": {"url": receiver.url, "secret_file": "secret"}})
    world.listen(f"{plant.prefix}/#")
    fatal = {1, 3}  # requests in which the service dies

    def answer(_: Request) -> Reply:
        if len(receiver.heard) in fatal:
            plant.kill()
            plant.start()
        return Reply()

    receiver.answer = answer
    plant.start()
    world.wait_for(plant.availability, b"online")
    world.publish(recording("sinks-killed"))
    wait_until(lambda: len(receiver.heard) >= 4, "the service was killed twice")
    wait_for_all(plant)
    assert plant.end() == 0
    wait_until(lambda: len(receiver.taken) == len(receiver.heard), "all is answered")

    events = told(receiver)
    assert sum(bodies.total() for bodies in events.values()) >= len(events) + 2
    assert all(len(bodies) == 1 for bodies in events.values()), "one id has one body"
    assert alarms_told(receiver) == {alarm[0] for alarm in plant.query(ALARMS)}


@pytest.mark.parametrize(("place", "times"), [("before-delivery", 1), ("after-delivery", 2)])
def test_killed_before_and_after_a_delivery_it_tells_the_webhook_once_or_twice(
    place: str,
    times: int,
    broker: Broker,
    world: World,
    make_plant: MakePlant,
    make_bundle: MakeBundle,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant = prepare(broker, make_plant, make_bundle(streams=STREAMS).path.parents[1], f"sinks-{place}")
    add_sinks(plant, pager={"webhook": {"url": receiver.url, "secret_file": "secret"}})
    world.listen(f"{plant.prefix}/#")
    monkeypatch.setenv(VARIABLE, place)
    plant.start()
    world.wait_for(plant.availability, b"online")
    world.publish(recording(f"sinks-{place}"))
    assert plant.wait() == -signal.SIGKILL
    monkeypatch.delenv(VARIABLE)
    assert len(receiver.taken) == times - 1
    plant.start()
    wait_for_all(plant)
    assert plant.end() == 0

    first, *others = told(receiver).values()
    assert (len(first), first.total()) == (1, times)
    assert all(bodies.total() == 1 for bodies in others)
    assert alarms_told(receiver) == {alarm[0] for alarm in plant.query(ALARMS)}


@pytest.mark.slow
def test_a_database_that_is_away_has_everything_once_it_is_back(
    broker: Broker,
    world: World,
    make_plant: MakePlant,
    make_bundle: MakeBundle,
    receiver: Receiver,
) -> None:
    plant = prepare(broker, make_plant, make_bundle(streams=STREAMS).path.parents[1], "sinks-away")
    add_sinks(plant, history={"influx": {"url": receiver.url, "bucket": "plant"}})
    world.listen(f"{plant.prefix}/#")
    receiver.answer = lambda _: Reply(503, body=b"starting")
    plant.start()
    world.wait_for(plant.availability, b"online")
    world.publish(recording("sinks-away"))
    wait_until(lambda: plant.count("verdict") > 300, "the service goes on meanwhile")
    plant.kill()
    plant.start()
    wait_until(lambda: len(receiver.heard) > 3, "it is tried again")
    assert plant.query("SELECT count(*) FROM outbox WHERE kind = 'verdict'")[0][0] > 0
    trouble = "  sink history: nothing delivered: 503 starting\n"
    wait_until(lambda: trouble in status(plant), "the status tells of it")
    receiver.answer = lambda _: Reply()
    wait_for_all(plant)
    assert plant.end() == 0

    lines = {line for request in receiver.taken for line in request.body.split(b"\n")}
    assert sum(line.startswith(b"verdict,") for line in lines) == plant.count("verdict")
    assert plant.count("relay_letter") == 0
    assert "history: not delivered: 503 starting; trying again" in plant.log.read_text()
