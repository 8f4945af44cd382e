"""What a sink has refused and an operator wants sent again, with a real outbox."""

import logging

import pytest

from service.counters import Counters
from service.desk.dead_letters import DeadLetters, Which
from service.desk.resends import Resends
from service.relays.influx import InfluxSink
from service.relays.letters import Letter
from service.relays.outbox import Outbox, OutboxReader
from service.relays.sinks import InfluxSettings, SinkSettings
from service.storage.access import Access
from service.storage.store import Store


@pytest.fixture
def outbox(store: Store) -> Outbox:
    """Return the outbox of one sink, "history", which has refused two lines; a sink that is no more refused one."""
    influx = InfluxSettings(url="http://localhost:8086", database="plant")
    made = Outbox(store, [InfluxSink("history", influx, SinkSettings(influx=influx))], Counters())
    letters = [Letter(1000, sink, "verdict", "", body, "400") for sink, body in LINES]
    made.forget([], letters)
    settle(store, made)
    return made


LINES = [("history", b"verdict a"), ("gone", b"verdict b"), ("history", b"verdict c")]


def settle(store: Store, outbox: Outbox) -> None:
    with store.transaction():
        outbox.settle()
    outbox.committed()


def test_each_is_put_back_into_the_outbox_of_its_sink_once(
    store: Store, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    desk, resends = DeadLetters(Access(store.path), "me"), Resends(store, outbox)
    woken: list[str] = []
    outbox.on_posted = lambda sink, _: woken.append(sink)
    assert desk.replay(Which()) == desk.replay(Which()) == (3, 0)

    for _ in range(2):
        with caplog.at_level(logging.WARNING), store.transaction():
            resends.carry_out()
            outbox.settle()
        outbox.committed()

    rows = OutboxReader(store.path, "history").read(0, 10)
    assert [(row.kind, row.body) for row in rows] == [("verdict", b"verdict a"), ("verdict", b"verdict c")]
    assert woken == ["history"]
    assert [letter.id for letter in desk.list(Which(), 10)] == ["gone:2"]
    assert [record.getMessage() for record in caplog.records] == [
        "1 letters cannot be sent again: the configuration has no sink 'gone'"
    ]
    assert store.db.execute("SELECT count(*) FROM request").fetchone() == (0,)


def test_what_is_refused_again_comes_back_under_a_new_id(store: Store, outbox: Outbox) -> None:
    desk = DeadLetters(Access(store.path), "me")
    desk.replay(Which(("history:1",)))
    with store.transaction():
        Resends(store, outbox).carry_out()
        outbox.settle()
    outbox.committed()

    (row,) = OutboxReader(store.path, "history").read(0, 10)
    outbox.forget([row.id], [Letter(2000, "history", row.kind, row.stream, row.body, "400 again")])
    settle(store, outbox)

    assert [letter.id for letter in desk.list(Which(sink="history"), 10)] == ["history:3", "history:4"]
    assert desk.show("history:4")[1] == b"verdict a"
    assert OutboxReader(store.path, "history").read(0, 10) == []
