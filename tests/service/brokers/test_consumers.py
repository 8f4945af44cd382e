"""Sessions with one broker and with two, when a broker forgets, freezes or is away."""

import logging
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import yaml

from edge.brokers.consumer import Consumer
from edge.inbox import Inbox
from service.app import Service, build
from service.brokers.broker import BrokerSettings
from service.counters import Counters
from tests.conftest import MakeBundle
from tests.service.authority import Authority
from tests.system.conftest import MOSQUITTO, Broker, World, free_port, wait_until

KEEPALIVE_S = 5


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def consumer(broker: Broker, inbox: Inbox, counters: Counters) -> Iterator[Consumer]:
    settings = BrokerSettings(host="127.0.0.1", port=broker.port, client_id="one", keepalive=KEEPALIVE_S)
    made = Consumer(settings, "own/service/availability", ["plant/+"], inbox, counters)
    yield made
    made.pause()
    made.stop()


def test_a_broker_that_has_forgotten_the_session_is_told_and_subscribed_to_again(
    broker: Broker,
    consumer: Consumer,
    inbox: Inbox,
    counters: Counters,
    caplog: pytest.LogCaptureFixture,
) -> None:
    consumer.start()
    assert consumer.ready.wait(10)
    assert counters.sessions_lost == 0

    broker.stop()
    broker.forget()
    wait_until(lambda: not consumer.ready.is_set(), "the connection is lost")
    broker.start()

    assert consumer.ready.wait(20)
    assert counters.sessions_lost == 1
    assert f"the broker at mqtt://127.0.0.1:{broker.port} has forgotten our session" in caplog.text
    assert "sessions lost 1" in counters.summary(0)
    world = World(broker)
    world.publish([("plant/a", "1")])
    wait_until(lambda: inbox.in_flight == 1, "messages come again")
    world.close()


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_what_is_left_is_known_once_the_broker_has_acknowledged_it(
    broker: Broker, inbox: Inbox, counters: Counters, protocol: int | str
) -> None:
    settings = BrokerSettings.model_validate({"host": "127.0.0.1", "port": broker.port, "protocol": protocol})
    consumer = Consumer(settings, "own/service/availability", ["plant/+"], inbox, counters)
    consumer.leave(["gone/+", "plant/+"])
    assert consumer.left() == []
    consumer.start()
    try:
        assert consumer.ready.wait(10)
        assert [consumer.left(), consumer.left()] == [["gone/+"], []]
    finally:
        consumer.stop()


def test_what_the_broker_has_not_acknowledged_to_be_left_is_left_again(broker: Broker, consumer: Consumer) -> None:
    consumer.start()
    assert consumer.ready.wait(10)
    broker.send(signal.SIGSTOP)
    consumer.follow(["other/+"])
    broker.stop(signal.SIGKILL)
    wait_until(lambda: not consumer.ready.is_set(), "the connection is lost")
    assert consumer.left() == []

    broker.start()
    assert consumer.ready.wait(20)
    assert consumer.left() == ["plant/+"]


@pytest.mark.parametrize("known", [True, False])
def test_a_session_that_should_be_there_when_the_service_starts(
    consumer: Consumer, counters: Counters, known: bool
) -> None:
    consumer.start(known)
    assert consumer.ready.wait(10)
    assert counters.sessions_lost == known


@pytest.mark.slow
def test_a_frozen_broker_is_noticed_within_two_keep_alives(
    broker: Broker, consumer: Consumer, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    consumer.start()
    assert consumer.ready.wait(10)
    broker.send(signal.SIGSTOP)
    began = monotonic()
    try:
        wait_until(lambda: not consumer.ready.is_set(), "it is noticed", 2 * KEEPALIVE_S)
        assert monotonic() - began > KEEPALIVE_S / 2
    finally:
        broker.send(signal.SIGCONT)
    assert "nothing was heard of it for two keep-alives" in caplog.text
    assert consumer.ready.wait(20)
    world = World(broker)
    world.publish([("plant/a", "1")])
    wait_until(lambda: inbox.in_flight == 1, "messages come again")
    world.close()


SECURE = """
listener {port} 127.0.0.1
allow_anonymous true
persistence_location {folder}/
max_queued_messages 100000
max_inflight_messages 3000
listener {secure} 127.0.0.1
certfile {folder}/here.crt
keyfile {folder}/here.key
"""


@pytest.fixture(params=[5, "3.1.1"])
def secure(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[BrokerSettings, World]]:
    """Return how to reach a broker by TLS, and a client of it that publishes."""
    if MOSQUITTO is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    authority, port = Authority(tmp_path), free_port()
    authority.issue("here", host="127.0.0.1")
    broker = Broker(tmp_path, SECURE.replace("{secure}", str(port))).start()
    world = World(broker)
    yield (
        BrokerSettings.model_validate(
            {"host": "127.0.0.1", "port": port, "tls": {"ca_file": authority.file}, "protocol": request.param}
        ),
        world,
    )
    world.close()
    broker.stop()


@contextmanager
def consuming(broker: BrokerSettings, inbox: Inbox) -> Iterator[Consumer]:
    consumer = Consumer(broker, "own/service/availability", ["plant/+"], inbox, Counters())
    consumer.start()
    try:
        assert consumer.ready.wait(10)
        yield consumer
    finally:
        consumer.pause()
        consumer.stop()


def test_over_tls_all_messages_come_large_and_small_and_their_acknowledgements_arrive(
    secure: tuple[BrokerSettings, World],
) -> None:
    broker, world = secure
    sizes = [size for k in range(1000) for size in (20, 40_000 if k % 50 == 0 else 200)]
    with consuming(broker, inbox := Inbox()) as consumer:
        world.publish(("plant/a", b"x" * size) for size in sizes)
        wait_until(lambda: inbox.in_flight == len(sizes), "all messages are in the inbox")
        messages = inbox.take(len(sizes), 1)
        consumer.acknowledge(messages)
    assert [len(message.payload) for message in messages] == sizes
    with consuming(broker, again := Inbox()):
        world.publish([("plant/a", b"last")])
        wait_until(lambda: again.in_flight > 0, "the next message comes")
        assert [message.payload for message in again.take(10, 1)] == [b"last"]


@pytest.fixture
def worlds(broker: Broker, south: Broker) -> Iterator[tuple[World, World]]:
    both = World(broker), World(south)
    yield both
    for world in both:
        world.close()


def monitor(broker: str) -> dict[str, Any]:
    return {"broker": broker, "topic": "plant/{device}/{channel}", "bundle": "pump", "payload": "number"}


@pytest.fixture
def make_service(broker: Broker, south: Broker, tmp_path: Path, make_bundle: MakeBundle) -> Iterator[Any]:
    make_bundle()
    made: list[Service] = []

    def make(**publish: Any) -> Service:
        path = tmp_path / "foresense.yaml"
        brokers = {
            name: {"host": "127.0.0.1", "port": broker.port, "client_id": "both", "keepalive": KEEPALIVE_S}
            for name, broker in {"north": broker, "south": south}.items()
        }
        monitors = {"in-north": monitor("north"), "in-south": monitor("south")}
        settings = {"brokers": brokers, "monitors": monitors, "publish": {"prefix": "own"} | publish}
        path.write_text(yaml.safe_dump(settings))
        made.append(build(path))
        made[-1].start()
        return made[-1]

    yield make
    for service in made:
        service.stop()


def test_one_broker_works_while_the_other_is_away_and_each_gets_its_own_acknowledgements(
    make_service: Any, south: Broker, worlds: tuple[World, World], tmp_path: Path
) -> None:
    north_world, south_world = worlds
    for world in worlds:
        world.listen("own/#")
    service = make_service()
    assert service.ready.wait(10)
    for world in worlds:
        world.wait_for("own/service/availability", b"online")
    south_world.publish(("plant/a/value", f"{k}") for k in range(50))
    wait_until(lambda: service.counters.committed == 50, "what comes from the south is committed")
    then_ms = int(1000 * monotonic()) + 500  # by then it is acknowledged, which a probe after that comes behind
    wait_until(lambda: (service._consumers.heard_ms()["south"] or 0) >= then_ms, "the south has the acknowledgements")

    south.stop()
    wait_until(lambda: not service.ready.is_set(), "it is noticed")
    north_world.publish(("plant/a/value", f"{k}") for k in range(50))
    wait_until(lambda: service.counters.committed == 100, "what comes from the north is committed meanwhile")

    south.start()
    assert service.ready.wait(20)
    south_world.publish([("plant/a/value", "1")])
    wait_until(lambda: service.counters.committed == 101, "what comes from the south is committed again")
    assert service.counters.balanced(service.inbox.in_flight)
    assert service.counters.rejected == 0
    assert service.counters.received == 101  # nothing came twice, so each broker had its acknowledgements
    db = sqlite3.connect(tmp_path / "foresense.db")
    rows = db.execute("SELECT monitor, name FROM stream ORDER BY monitor").fetchall()
    db.close()
    assert rows == [("in-north", "a"), ("in-south", "a")]


@pytest.mark.parametrize("to", ["", "north"])
def test_verdicts_go_to_the_monitors_broker_or_to_the_one_that_is_named(
    make_service: Any, worlds: tuple[World, World], to: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for world in worlds:
        world.listen("own/#")
    service = make_service(broker=to)
    assert service.ready.wait(10)
    wait_until(lambda: caplog.text.count("both-relay: connected") == (1 if to else 2), "the relays are connected")

    worlds[0].publish([("plant/n/value", "1")])
    worlds[1].publish([("plant/s/value", "1")])
    wait_until(lambda: service.counters.committed == 2, "both are committed")
    wait_until(lambda: service.counters.verdicts >= 2, "both have verdicts")

    for stream, where in (("n", 0), ("s", 0 if to else 1)):
        assert worlds[where].hear(f"own/{stream}/verdict")[0]["stream"] == stream
    assert ("own/s/verdict" in [topic for topic, _ in worlds[1].heard]) == (not to)
