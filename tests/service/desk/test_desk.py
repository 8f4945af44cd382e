"""The desk beside a writer that runs, on one database."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge.duration import parse_duration
from edge.errors import ConfigError, DataError, ForesenseError
from service.alarms.mutes import Mutes
from service.desk.desk import Desk
from service.storage import access
from service.storage.store import SCHEMA_VERSION, Store
from tests.conftest import INTERVAL_MS
from tests.service.conftest import FIRST, Bench, MakeBench, MakeMonitor, readings
from tests.system.conftest import wait_until

HOUR_MS = 3_600_000


@pytest.fixture
def desk(database: Path) -> Desk:
    return Desk(database, "ann")


@pytest.fixture
def bench(make_bench: MakeBench, make_monitor: MakeMonitor) -> Bench:
    return make_bench(make_monitor(payload="json", time="ts"))


def feed(bench: Bench, slots: range, spikes: tuple[int, ...] = ()) -> None:
    bench.take(readings(slots, spikes))
    wait_until(lambda: bench.inbox.in_flight == 0, "all is committed")


def test_the_alarms_of_a_muted_stream_are_held_and_told_when_it_is_unmuted(bench: Bench, desk: Desk) -> None:
    feed(bench, range(5))
    made = desk.mute("main", "a*", HOUR_MS, "cleaning")
    feed(bench, range(5, 23), (20,))
    assert (made.holds("main", "a"), made.holds("other", "a"), made.holds("main", "b")) == (True, False, False)
    assert bench.query("SELECT suppressed, raised FROM alarm") == [("muted by ann: cleaning", None)]
    assert bench.told() == []

    desk.unmute("main", "a*")
    feed(bench, range(23, 40))

    assert [told["state"] for told in bench.told()] == ["opened", "closed"]
    assert desk.mutes() == []
    assert made.until == made.created + HOUR_MS


def test_a_mute_is_of_its_monitor_and_its_streams_alone(bench: Bench, desk: Desk) -> None:
    feed(bench, range(1))
    desk.mute("main", "b*", HOUR_MS, "")
    desk.mute("other", "*", HOUR_MS, "")
    feed(bench, range(1, 23), (20,))
    assert len(bench.told()) == 1


def test_a_mute_that_has_run_out_holds_only_for_what_comes_late(store: Store, desk: Desk) -> None:
    mutes = Mutes(store)
    desk.mute("main", "*", HOUR_MS, "")
    with store.transaction():
        store.db.execute("UPDATE mute SET created = 1000, until = 2000")
        mutes.load()
    assert [mutes.reason("main", "a", time) for time in (999, 1000, 1999, 2000)] == [
        None, "muted by ann", "muted by ann", None,
    ]  # fmt: skip


def test_muting_again_sets_a_new_end(store: Store, desk: Desk) -> None:
    assert store.db
    desk.mute("main", "*", HOUR_MS, "first")
    until = desk.mute("main", "*", 2 * HOUR_MS, "second").until
    desk.mute("main", "a", HOUR_MS, "third")
    assert [(mute.stream, mute.reason) for mute in desk.mutes()] == [("a", "third"), ("*", "second")]
    assert desk.mutes()[1].until == until


def test_nobody_mutes_for_more_than_ten_years(store: Store, desk: Desk) -> None:
    assert store.db
    with pytest.raises(DataError, match="duration: expected at most 10 years, got 11y"):
        desk.mute("main", "*", parse_duration("11y"), "")


def test_what_is_not_muted_cannot_be_unmuted(store: Store, desk: Desk) -> None:
    assert store.db
    desk.mute("main", "pump-*", HOUR_MS, "")
    with pytest.raises(DataError, match=r"expected a mute of main/pump\* in force, got 'main/pump\*'; did you mean"):
        desk.unmute("main", "pump*")


def test_a_level_that_is_accepted_ends_the_alarm(bench: Bench, desk: Desk) -> None:
    new_level = tuple(range(21, 40))
    feed(bench, range(23), new_level)
    desk.accept("main", "a")
    wait_until(lambda: bench.query("SELECT * FROM request") == [], "the request is carried out")
    feed(bench, range(23, 40), new_level)

    assert bench.query('SELECT "start", "end" FROM alarm') == [(FIRST + 21 * INTERVAL_MS, FIRST + 23 * INTERVAL_MS)]
    assert [told["state"] for told in bench.told()] == ["opened", "closed"]


def test_a_policy_that_accepts_no_levels_stops_nothing(
    make_bench: MakeBench, make_monitor: MakeMonitor, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts", alarm={"level": "never"}))
    feed(bench, range(22), (20,))
    desk.accept("main", "a")
    wait_until(lambda: bench.query("SELECT * FROM request") == [], "the request is carried out")
    feed(bench, range(22, 30))

    assert "main: the level of a cannot be accepted: alarm: expected level confirm or sustained" in caplog.text
    assert bench.query("SELECT count(*) FROM verdict") == [(30,)]


def test_only_a_stream_in_alarm_can_be_accepted(bench: Bench, desk: Desk) -> None:
    feed(bench, range(1))
    with pytest.raises(DataError, match="expected a stream of monitor main, got 'aa'; did you mean 'a'"):
        desk.accept("main", "aa")
    with pytest.raises(DataError, match="of monitor main with an open alarm, got 'a'; known are none"):
        desk.accept("main", "a")


def test_an_alarm_is_labelled_and_labelled_again(bench: Bench, desk: Desk) -> None:
    feed(bench, range(30), (20,))
    ident = bench.told()[0]["id"]
    assert desk.label(ident, True, "cleaning") == "main/a"
    desk.label(ident, False, "")
    assert bench.query('SELECT alarm, "false", note, "by" FROM label') == [(ident, 0, "", "ann")]
    with pytest.raises(DataError, match="expected the id of an alarm, got 'none'"):
        desk.label("none", True, "")


@pytest.mark.parametrize("act", [Desk.mutes, lambda desk: desk.mute("main", "*", 1000, "")])
def test_a_database_that_is_not_there_or_not_ours_is_told(act: Callable[[Desk], object], database: Path) -> None:
    with pytest.raises(ConfigError, match="expected the database of a service that was started, got none"):
        act(Desk(database, "ann"))
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA user_version = 1")
    with pytest.raises(ConfigError, match=f"expected a database of schema {SCHEMA_VERSION}, got 1"):
        act(Desk(database, "ann"))


def test_a_database_that_stays_busy_is_told(store: Store, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_BUSY_S", 0.1)
    with store.transaction():
        assert desk.mutes() == []
        with pytest.raises(ForesenseError, match="expected a database that can be written, got: database is locked"):
            desk.mute("main", "*", 1000, "")
