"""The MQTT relay against a real broker and a real outbox."""

import json
import math
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from edge.reading import Verdicts
from service.brokers.broker import BrokerSettings
from service.pipeline.transaction import Scored
from service.relays.mqtt import MqttRelay
from service.relays.outbox import OutboxReader, OutboxRow
from service.relays.verdicts import verdict_messages
from service.settings import PublishSettings
from service.storage.store import Store
from tests.system.conftest import Broker, World, wait_until


def scored(count: int = 1) -> Scored:
    numbers = np.array([[1.0, math.nan]] * count)
    return Scored(
        "main",
        "pump/1",
        ["north/a"],
        ["flow", "level"],
        Verdicts(
            stream=np.zeros(count, np.int32),
            time=np.full(count, 1_700_000_000_000),
            status=np.full(count, 2, np.uint8),
            score=np.full(count, 1.5, np.float32),
            channel=np.zeros(count, np.int16),
            value=numbers,
            expected=numbers,
            lower=numbers,
            upper=numbers,
            alarm=np.full(count, 1_700_000_000_000),
            change=np.ones(count, np.uint8),
            share=np.array([[1, 0]] * count, np.float32),
            signal=np.full(count, 2, np.int8),
            once_in=np.full(count, 1e5, np.float32),
            achieved=np.full(count, 0.5, np.float32),
            coverage=np.full(count, 0.5, np.float32),
            quality=np.array([[0, 1]] * count, np.uint8),
            ready_in=np.zeros(count, np.int32),
        ),
    )


MakeRelay = Callable[[Broker, str], tuple[MqttRelay, list[int]]]


@pytest.fixture
def make_relay(database: Path, store: Store) -> Iterator[MakeRelay]:
    made: list[MqttRelay] = []

    def make(broker: Broker, name: str) -> tuple[MqttRelay, list[int]]:
        delivered: list[int] = []
        settings = BrokerSettings(host="127.0.0.1", port=broker.port, client_id=name)
        publish = PublishSettings(prefix=name)
        made.append(MqttRelay(settings, publish, OutboxReader(database, "mqtt"), delivered.extend))
        made[-1].start()
        return made[-1], delivered

    assert store is not None
    yield make
    for relay in made:
        relay.stop(5)


def post(store: Store, bodies: Sequence[bytes]) -> list[OutboxRow]:
    """Commit rows, and return them."""
    with store.transaction():
        return [OutboxRow(store.post("mqtt", "north/a", body), "north/a", body) for body in bodies]


def test_alarms_of_the_outbox_are_published_in_order_and_reported_delivered(
    broker: Broker, world: World, store: Store, make_relay: MakeRelay
) -> None:
    world.listen("relay-order/#")
    bodies = [json.dumps(number).encode() for number in range(250)]
    post(store, bodies[:200])
    relay, delivered = make_relay(broker, "relay-order")
    wait_until(lambda: len(delivered) == 200, "the backlog is delivered")

    post(store, bodies[200:])
    relay.tell([])

    assert world.hear("relay-order/north/a/alarm", 250) == list(range(250))
    wait_until(lambda: delivered == list(range(1, 251)), "all are reported delivered")


def test_alarms_wait_for_a_broker_that_is_away(broker: Broker, store: Store, make_relay: MakeRelay) -> None:
    broker.stop()
    relay, delivered = make_relay(broker, "relay-away")
    relay.tell(post(store, [b"1"]))
    relay.offer([scored()])
    broker.start()
    wait_until(lambda: delivered == [1], "the alarm is delivered")


def test_an_alarm_is_published_by_whom_committed_it_once_all_before_are_under_way(
    broker: Broker, world: World, store: Store, make_relay: MakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.listen("relay-told/#")
    post(store, [b"1"])
    relay, delivered = make_relay(broker, "relay-told")
    wait_until(lambda: delivered == [1], "the alarm of the outbox is delivered")
    monkeypatch.setattr(OutboxReader, "read", lambda *_: [])  # by nobody but who is told

    for number in (2, 3):
        relay.tell(post(store, [b"%d" % number]))

    assert world.hear("relay-told/north/a/alarm", 3) == [1, 2, 3]
    wait_until(lambda: delivered == [1, 2, 3], "all are reported delivered")


def test_what_the_relay_has_read_meanwhile_is_not_published_again(
    broker: Broker, world: World, store: Store, make_relay: MakeRelay
) -> None:
    world.listen("relay-once/#")
    relay, delivered = make_relay(broker, "relay-once")
    rows = post(store, [b"1", b"2"])
    relay.tell([])
    wait_until(lambda: delivered == [1, 2], "the outbox is delivered")

    relay.tell(rows)
    relay.tell(post(store, [b"3"]))

    wait_until(lambda: delivered == [1, 2, 3], "the last is delivered")
    assert world.hear("relay-once/north/a/alarm", 3) == [1, 2, 3]


def test_alarms_that_a_lost_connection_did_not_carry_are_published_again_in_order(
    broker: Broker, store: Store, make_relay: MakeRelay
) -> None:
    relay, delivered = make_relay(broker, "relay-lost")
    relay.tell(post(store, [b"1"]))
    wait_until(lambda: delivered == [1], "the first is delivered")

    broker.send(signal.SIGSTOP)
    relay.tell(post(store, [b"2"]))
    relay.tell(post(store, [b"3"]))
    broker.stop(signal.SIGKILL)
    relay.tell(post(store, [b"4"]))
    broker.start()

    wait_until(lambda: delivered == [1, 2, 3, 4], "all are acknowledged, in their order")


def test_no_more_alarms_are_under_way_than_are_allowed(
    broker: Broker, world: World, store: Store, make_relay: MakeRelay
) -> None:
    world.listen("relay-many/#")
    relay, delivered = make_relay(broker, "relay-many")
    relay.tell(post(store, [b"0"]))
    wait_until(lambda: delivered == [1], "the first is delivered")

    for first in range(1, 300, 10):
        relay.tell(post(store, [b"%d" % number for number in range(first, first + 10)]))
        assert len(relay._under_way) <= 100

    assert world.hear("relay-many/north/a/alarm", 301) == list(range(301))
    wait_until(lambda: delivered == list(range(1, 302)), "all are reported delivered")


def test_verdicts_are_published_as_json(broker: Broker, world: World, make_relay: MakeRelay) -> None:
    world.listen("relay-verdicts/#")
    relay, _ = make_relay(broker, "relay-verdicts")
    wait_until(lambda: relay._connection.is_open, "connected")

    relay.offer([scored(3)])

    assert world.hear("relay-verdicts/north/a/verdict", 3)[0] == {
        "monitor": "main",
        "stream": "north/a",
        "bundle": "pump/1",
        "time": "2023-11-14T22:13:20.000Z",
        "status": "anomaly",
        "anomaly": True,
        "score": 1.5,
        "channel": "flow",
        "signal": "novelty",
        "once_in": 1e5,
        "achieved": 0.5,
        "alarm": "2023-11-14T22:13:20.000Z",
        "coverage": 0.5,
        "ready_in": 0,
        "channels": {
            "flow": {"value": 1.0, "expected": 1.0, "lower": 1.0, "upper": 1.0, "share": 1.0, "quality": ""},
            "level": {"value": None, "expected": None, "lower": None, "upper": None, "share": 0.0, "quality": "silent"},
        },
    }


def test_verdicts_are_dropped_rather_than_kept_for_long(
    broker: Broker, make_relay: MakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.relays.mqtt._MOST_WAITING", 5)
    relay, _ = make_relay(broker, "relay-most")
    wait_until(lambda: relay._connection.is_open, "connected")
    relay.stop(5)  # so that nobody takes them
    monkeypatch.setattr(type(relay._connection), "is_open", True)
    for count in (2, 3, 1, 9):
        relay.offer([scored(count)])
        if count == 1:
            assert [len(each.verdicts) for each in relay._waiting] == [3, 1]
    assert [len(each.verdicts) for each in relay._waiting] == [9]


def test_a_verdict_is_told_for_each_row() -> None:
    assert [stream for stream, _ in verdict_messages(scored(2))] == ["north/a", "north/a"]
