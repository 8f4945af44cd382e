"""The consumer against a real broker."""

from collections.abc import Callable, Iterator

import pytest

from edge.brokers.consumer import Consumer
from edge.inbox import Inbox, Message
from service.brokers.broker import BrokerSettings
from service.counters import Counters
from tests.system.conftest import Broker, World, wait_until

MakeConsumer = Callable[..., Consumer]


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def make_consumer(broker: Broker, counters: Counters) -> Iterator[MakeConsumer]:
    made: list[Consumer] = []

    def make(name: str, inbox: Inbox, protocol: int | str = 5) -> Consumer:
        options = {"host": "127.0.0.1", "port": broker.port, "client_id": name, "protocol": protocol, "keepalive": 5}
        settings = BrokerSettings.model_validate(options)
        made.append(Consumer(settings, f"own-{name}/service/availability", [f"{name}/+"], inbox, counters))
        made[-1].start()
        assert made[-1].ready.wait(10)
        return made[-1]

    yield make
    for consumer in made:
        consumer.pause()
        consumer.stop()


def take(inbox: Inbox, count: int) -> list[Message]:
    """Return so many messages, once they are there."""
    wait_until(lambda: inbox.in_flight >= count, f"{count} messages in the inbox")
    messages = inbox.take(count, 1)
    inbox.done(len(messages))
    return messages


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(
    protocol: int | str, world: World, make_consumer: MakeConsumer
) -> None:
    name = f"again-{protocol}"
    inbox = Inbox()
    consumer = make_consumer(name, inbox, protocol)
    world.publish((f"{name}/a", str(number)) for number in range(6))
    consumer.acknowledge(take(inbox, 6)[:4])
    consumer.pause()
    consumer.stop()

    inbox = Inbox()
    make_consumer(name, inbox, protocol)
    world.publish([(f"{name}/a", "6")])

    assert [message.payload for message in take(inbox, 3)] == [b"4", b"5", b"6"]


def test_a_full_inbox_drops_the_connection_and_loses_nothing(
    world: World, make_consumer: MakeConsumer, counters: Counters
) -> None:
    inbox = Inbox(most_messages=5)
    consumer = make_consumer("full", inbox)

    world.publish(("full/a", str(number)) for number in range(20))
    wait_until(lambda: counters.refused > 0, "the connection is dropped")
    seen: list[bytes] = []
    while len(set(seen)) < 20:
        messages = take(inbox, 1)
        consumer.acknowledge(messages)
        seen += [message.payload for message in messages]

    first_time = list(dict.fromkeys(seen))
    assert first_time == [str(number).encode() for number in range(20)]


def test_an_acknowledgement_of_a_lost_connection_is_not_sent(world: World, make_consumer: MakeConsumer) -> None:
    inbox = Inbox()
    consumer = make_consumer("epoch", inbox)
    world.publish([("epoch/a", "1")])
    (before,) = take(inbox, 1)

    consumer._connection.drop()
    wait_until(lambda: inbox.in_flight == 1, "the message comes again")
    consumer.acknowledge([before])
    (after,) = take(inbox, 1)

    assert after.payload == before.payload
    assert after.epoch > before.epoch


def test_after_an_error_in_a_callback_the_message_comes_again_in_its_order(
    world: World, make_consumer: MakeConsumer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    make_consumer("fault", inbox)
    monkeypatch.setattr(inbox, "put", lambda *_: 1 / 0)
    world.publish([("fault/a", "1")])
    wait_until(lambda: "a callback of the MQTT client has failed" in caplog.text, "the error is logged")
    monkeypatch.undo()

    world.publish([("fault/a", "2")])

    assert [message.payload for message in take(inbox, 2)] == [b"1", b"2"]


def test_an_empty_payload_and_qos_0_are_taken_too(world: World, make_consumer: MakeConsumer) -> None:
    inbox = Inbox()
    consumer = make_consumer("plain", inbox)
    world._client.publish("plain/a", b"", qos=0)
    (message,) = take(inbox, 1)
    assert (message.payload, message.qos, message.retain) == (b"", 0, False)
    consumer.acknowledge([message])
