import time
from pathlib import Path

import pytest

from edge.messages.alarm import Alarm
from service.desk.desk import Desk
from service.homeassistant.facts import Facts
from service.storage.store import Store


def alarm(ident: str, stream: int, start: int, raised: int | None) -> Alarm:
    return Alarm(ident, stream, "pump/1", "flow", start, None, 2, 9, 1, 0, 2, 2, start, "flow", raised=raised)


@pytest.fixture
def facts(store: Store, database: Path) -> Facts:
    with store.transaction():
        store.add_streams("main", ["a", "b"])
    return Facts(database)


def test_streams_are_known_as_they_come(facts: Facts, store: Store) -> None:
    facts.look()
    assert facts.streams == {("main", "a"), ("main", "b")}
    with store.transaction():
        store.add_streams("other", ["a"])
        store.db.execute("DELETE FROM stream WHERE name = 'b'")
    facts.look()
    assert facts.streams == {("main", "a"), ("other", "a")}


def test_only_open_alarms_that_the_world_is_told_of_are_problems(facts: Facts, store: Store) -> None:
    with store.transaction():
        store.open_alarm(alarm("one", 1, 1000, 1000))
        store.open_alarm(alarm("held", 2, 1000, None))
    facts.look()
    assert {key: each.id for key, each in facts.alarms.items()} == {("main", "a"): "one"}
    assert (facts.newest_alarm(("main", "a")), facts.newest_alarm(("main", "b"))) == ("one", None)
    with store.transaction():
        store.close_alarm(1, 2000)
        store.open_alarm(alarm("two", 1, 3000, 3000))
        store.close_alarm(1, 4000)
    facts.look()
    assert facts.alarms == {}
    assert facts.newest_alarm(("main", "a")) == "two"


def test_a_stream_is_muted_by_any_mute_until_it_ends(facts: Facts, database: Path) -> None:
    Desk(database, "me").mute("main", "[b-z]*", 200, "")
    Desk(database, "me").mute("other", "*", 60_000, "")
    facts.look()
    assert facts.muted == {("main", "b")}
    time.sleep(0.25)
    facts.look()
    assert facts.muted == frozenset()
