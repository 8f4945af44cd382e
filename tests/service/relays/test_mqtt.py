"""The MQTT relay against a real broker and a real outbox."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from edge.reading import Verdicts
from service.brokers.broker import BrokerSettings
from service.pipeline.transaction import Scored
from service.relays.mqtt import MqttRelay
from service.relays.outbox import OutboxReader
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


def post(store: Store, bodies: Sequence[bytes]) -> None:
    with store.transaction():
        for body in bodies:
            store.post("mqtt", "north/a", body)


def test_alarms_of_the_outbox_are_published_in_order_and_reported_delivered(
    broker: Broker, world: World, store: Store, make_relay: MakeRelay
) -> None:
    world.listen("relay-order/#")
    bodies = [json.dumps(number).encode() for number in range(250)]
    post(store, bodies[:200])
    relay, delivered = make_relay(broker, "relay-order")
    wait_until(lambda: len(delivered) == 200, "the backlog is delivered")

    post(store, bodies[200:])
    relay.offer([])

    assert world.hear("relay-order/north/a/alarm", 250) == list(range(250))
    wait_until(lambda: delivered == list(range(1, 251)), "all are reported delivered")


def test_alarms_wait_for_a_broker_that_is_away(broker: Broker, store: Store, make_relay: MakeRelay) -> None:
    broker.stop()
    relay, delivered = make_relay(broker, "relay-away")
    post(store, [b"1"])
    relay.offer([scored()])
    broker.start()
    wait_until(lambda: delivered == [1], "the alarm is delivered")


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


def test_a_verdict_is_told_for_each_row() -> None:
    assert [stream for stream, _ in verdict_messages(scored(2))] == ["north/a", "north/a"]
