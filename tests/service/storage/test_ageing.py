"""Ageing of a real database, step by step."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from edge.operation.failpoint import VARIABLE
from service.storage import ageing
from service.storage.ageing import HOUR_MS, Ageing
from service.storage.history import HistorySettings
from service.storage.store import Store
from tests.service.conftest import FIRST, MakeBench, MakeMonitor, readings
from tests.system.conftest import wait_until

DAY_MS = 24 * HOUR_MS
SLOT_MS = 600_000
DAYS = 10
ALARM = """INSERT INTO alarm (id, stream, bundle, channel, "start", "end", incident,
    score, peak_score, peak_time, peak_channel) VALUES (?, ?, 'pump/1', 'flow', ?, ?, 'many', 2, 2, 0, 'flow')"""
BROKEN = "CREATE TRIGGER broken BEFORE INSERT ON series_hour BEGIN SELECT RAISE(ABORT, 'broken'); END"
HOURLY = "SELECT time, stream, channel, slots, count, mean, least, most, expected, score, anomalous FROM hourly"


@pytest.fixture
def store(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Return a database with ten days of two streams; some values are missing, and the last day ends with an alarm."""
    for name, value in (("_PAUSE_S", 0.0), ("_LOOK_S", 0.0)):
        monkeypatch.setattr(ageing, name, value)
    store = Store(database)
    store.open()
    with store.transaction():
        streams = store.add_streams("main", ["a", "b"])
        db = store.db
        db.executemany("INSERT INTO series VALUES (?, ?, 'flow', 0)", [(10 * stream, stream) for stream in streams])
        rows = [
            (
                slot * SLOT_MS,
                10 * stream,
                None if slot % 7 == 0 else slot % 11 + stream,
                slot % 5,
                slot % 3,
                2 * (slot % 13 == 0),
            )
            for slot in range(1, DAYS * DAY_MS // SLOT_MS + 1)
            for stream in streams
        ]
        insert = "INSERT INTO series_verdict (time, series, value, expected, score, status) VALUES (?, ?, ?, ?, ?, ?)"
        db.executemany(insert, rows)
    yield store
    store.close()


def hours_of(store: Store) -> list[tuple[Any, ...]]:
    """Return what the sums must be of the verdicts there are, by SQLite's own arithmetic."""
    return store.db.execute(
        f"""SELECT time / {HOUR_MS} * {HOUR_MS} AS hour, stream, channel, count(*), count(value), avg(value),
            min(value), max(value), avg(expected), max(score), avg(status = 2)
        FROM verdict GROUP BY 1, 2, 3 ORDER BY 1, 2"""  # noqa: S608
    ).fetchall()


def age(store: Store, rows: int = 50, **settings: Any) -> Ageing:
    """Do all that is due, so many rows a step."""
    works = Ageing(store, HistorySettings(**settings))
    works._rows = rows
    for _ in range(5000):
        with store.transaction():
            works.step(is_idle=True)
        if not works.has_more:
            return works
    raise AssertionError("ageing does not come to an end")


def count(store: Store, table: str) -> int:
    return int(store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


@pytest.mark.parametrize("rows", [1, 7, 10_000])
def test_old_verdicts_become_sums_by_the_hour_however_small_the_steps(
    rows: int, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ageing, "_FEWEST", rows)
    monkeypatch.setattr(ageing, "_MOST", rows)
    before = hours_of(store)
    kept = store.db.execute("SELECT * FROM verdict WHERE time >= ?", (8 * DAY_MS,)).fetchall()

    age(store, rows, keep="2d")

    assert store.db.execute("SELECT * FROM verdict").fetchall() == kept
    got = store.db.execute(f"{HOURLY} ORDER BY time, stream").fetchall()
    expected = [hour for hour in before if hour[0] < 8 * DAY_MS]
    assert [hour[:5] for hour in got] == [hour[:5] for hour in expected]
    for mine, wanted in zip(got, expected, strict=True):
        assert mine[5:] == pytest.approx(wanted[5:])


def test_what_is_to_be_kept_for_ever_is(store: Store) -> None:
    before = count(store, "verdict")
    age(store, keep="forever", keep_hourly="forever")
    assert (count(store, "verdict"), count(store, "hourly")) == (before, 0)


def test_age_counts_from_the_newest_verdict_so_that_a_clock_or_old_data_empties_nothing(store: Store) -> None:
    before = count(store, "verdict")  # all of 1970
    age(store, keep="30d")
    assert count(store, "verdict") == before


def test_the_slots_of_a_labelled_alarm_stay_as_they_are(store: Store) -> None:
    alarm, slots = 5 * DAY_MS, 6
    with store.transaction():
        store.db.execute(
            "UPDATE series_verdict SET alarm = ? WHERE time >= ? AND time < ?", (alarm, alarm, alarm + slots * SLOT_MS)
        )
        store.db.executemany(ALARM, [(f"of {s}", s, alarm, alarm + slots * SLOT_MS) for s in (1, 2)])
        store.db.execute("INSERT INTO label VALUES ('of 1', 0, '', 'me', 0)")
    for _ in range(2):  # and they do not stand in the way of others
        age(store, keep="2d")
        rest = store.db.execute("SELECT DISTINCT stream FROM verdict WHERE time < ?", (8 * DAY_MS,)).fetchall()
        assert rest == [(1,)]
    assert store.db.execute("SELECT count(*) FROM verdict WHERE time < ?", (8 * DAY_MS,)).fetchone() == (slots,)
    summed = store.db.execute("SELECT sum(slots) FROM hourly").fetchone()[0]
    assert summed + count(store, "verdict") == 2 * DAYS * DAY_MS // SLOT_MS

    age(store, keep="2d", keep_alarms="1d")
    assert store.db.execute("SELECT id FROM alarm").fetchall() == [("of 1",)]


def test_sums_and_alarms_go_after_their_own_time_and_open_alarms_stay(store: Store) -> None:
    with store.transaction():
        alarms = [("old", 1, 0, DAY_MS), ("new", 1, 9 * DAY_MS, 9 * DAY_MS + 1), ("open", 2, 0, None)]
        store.db.executemany(ALARM, alarms)
        incidents = [("many", DAY_MS), ("gone", 1)]
        store.db.executemany("INSERT INTO incident VALUES (?, 'plant', 0, ?, 0, 1, 1)", incidents)
    age(store, keep="1d", keep_hourly="3d", keep_alarms="5d")
    assert store.db.execute("SELECT id FROM alarm ORDER BY id").fetchall() == [("new",), ("open",)]
    assert store.db.execute("SELECT id FROM incident").fetchall() == [("many",)]
    oldest = store.db.execute("SELECT min(time) FROM hourly").fetchone()[0]
    assert oldest == 7 * DAY_MS


def test_beyond_a_size_the_oldest_go_before_their_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ageing, "_MOST", 50)
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    size = pages * store.db.execute("PRAGMA page_size").fetchone()[0]
    age(store, keep="forever", keep_hourly="forever", most_gb=0.9 * size / 1e9)
    oldest, newest = store.db.execute("SELECT min(time), max(time) FROM verdict").fetchone()
    assert DAY_MS < oldest < 9 * DAY_MS
    assert newest == DAYS * DAY_MS
    assert count(store, "hourly") > 0


def test_steps_become_smaller_where_they_take_long_and_larger_where_they_do_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert age(store, 100, keep="8d")._rows > 100
    monkeypatch.setattr(ageing, "STEP_S", 1e-9)
    assert age(store, 1000, keep="2d")._rows < 1000


@pytest.mark.slow
def test_what_is_killed_midway_is_counted_once(store: Store, database: Path) -> None:
    before = [hour for hour in hours_of(store) if hour[0] < 8 * DAY_MS]
    store.close()
    program = f"""
from pathlib import Path
from service.storage import ageing
from service.storage.history import HistorySettings
from service.storage.store import Store
ageing._PAUSE_S = 0
store = Store(Path({str(database)!r}))
store.open()
works = ageing.Ageing(store, HistorySettings(keep="2d"))
works._rows = 100
for _ in range(100):
    with store.transaction():
        works.step(is_idle=True)
"""
    for at in (1, 2, 4):
        killed = subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {VARIABLE: f"before-ageing-commit:{at}"}, check=False
        )
        assert killed.returncode == -signal.SIGKILL
    store.open()
    age(store, keep="2d")
    got = store.db.execute("SELECT time, stream, channel, slots FROM hourly ORDER BY time, stream").fetchall()
    assert got == [hour[:4] for hour in before]


def test_an_error_of_the_database_waits_for_the_next_time(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.db.execute(BROKEN)
    monkeypatch.setattr(ageing, "_LOOK_S", 0.2)
    works = Ageing(store, HistorySettings(keep="2d"))
    with pytest.raises(sqlite3.IntegrityError), store.transaction():
        works.step(is_idle=True)
    assert "the history cannot be brought up to date: broken" in caplog.text
    with store.transaction():
        works.step(is_idle=True)
    assert not works.has_more
    store.db.execute("DROP TRIGGER broken")
    time.sleep(0.2)
    with store.transaction():
        works.step(is_idle=True)
    assert works.has_more


def test_what_was_undone_is_done_again(store: Store) -> None:
    before = count(store, "verdict")
    works = Ageing(store, HistorySettings(keep="2d"))
    with suppress(sqlite3.OperationalError), store.transaction():
        works.step(is_idle=True)
        store.db.execute("SELECT none")
    assert count(store, "hourly") == 0
    works.restore()
    for _ in range(1000):
        with store.transaction():
            works.step(is_idle=True)
    assert store.db.execute("SELECT sum(slots) FROM hourly").fetchone()[0] + count(store, "verdict") == before
    assert store.db.execute("SELECT min(time) FROM verdict").fetchone() == (8 * DAY_MS,)


def test_a_history_that_cannot_age_does_not_hold_up_what_comes(
    make_bench: MakeBench, make_monitor: MakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"), history=HistorySettings(keep="1h"))
    monkeypatch.setattr(ageing, "_LOOK_S", 10.0)
    with closing(sqlite3.connect(bench.database)) as db:
        db.execute(BROKEN)
    for first in range(0, 2000, 500):
        bench.take(readings(range(first, first + 500)))
        wait_until(lambda first=first: len(bench.acknowledged) == first + 500, "all is committed")  # type: ignore[misc]
    bench.stop()
    assert bench.counters.retries > 0
    assert bench.query("SELECT count(*) FROM verdict") == [(2000,)]
    assert bench.counters.balanced(0)


def test_a_writer_ages_what_it_has_while_it_goes_on(
    make_bench: MakeBench, make_monitor: MakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ageing, "_LOOK_S", 0.1)
    bench = make_bench(make_monitor(payload="json", time="ts"), history=HistorySettings(keep="1h"))
    bench.take(readings(range(2000)))
    wait_until(lambda: len(bench.acknowledged) == 2000, "all is committed")
    old = "SELECT count(*) FROM verdict WHERE time < (SELECT max(time) FROM verdict) - 3600000"
    wait_until(lambda: bench.query(old) == [(0,)], "the older ones are sums")
    assert bench.query("SELECT (SELECT sum(slots) FROM hourly) + (SELECT count(*) FROM verdict)") == [(2000,)]
    assert bench.query("SELECT min(time) FROM hourly") == [(FIRST // HOUR_MS * HOUR_MS,)]
    assert bench.counters.balanced(0)
