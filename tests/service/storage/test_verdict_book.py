from collections.abc import Sequence

import numpy as np
import pytest

from edge.reading import Change, Status, Verdicts
from service.pipeline.monitor import Monitor
from service.storage.store import Store
from service.storage.verdict_book import VerdictBook, add_series, insert
from tests.service.conftest import MakeMonitor

CHANNELS = ("flow", "heat")
ALL = """SELECT time, name, channel, value, expected, lower, upper, score, status, coverage, quality, alarm, place
    FROM verdict JOIN stream ON stream.id = verdict.stream ORDER BY time, name, place"""


@pytest.fixture
def monitor(make_monitor: MakeMonitor, store: Store) -> Monitor:
    """Return a monitor of two channels with two streams."""
    monitor = make_monitor(bundle={"channels": CHANNELS})
    begin(monitor, store, "a", "b")
    return monitor


def begin(monitor: Monitor, store: Store, *streams: str) -> None:
    for stream in streams:
        monitor.row(stream)
    with store.transaction():
        monitor.begin(store.add_streams(monitor.name, monitor.new_names()))


def verdicts(rows: Sequence[int], times: Sequence[int]) -> Verdicts:
    """Return normal verdicts on slots without any trouble; the values tell the slot and the channel."""
    count = len(rows)
    time = np.array(times, np.int64)
    value = time[:, None] + np.array([0.25, 0.5])
    none = np.zeros(count)
    return Verdicts(
        stream=np.array(rows, np.int32),
        time=time,
        status=np.full(count, Status.NORMAL, np.uint8),
        score=np.full(count, 0.5, np.float32),
        channel=none.astype(np.int16),
        value=value,
        expected=value + 1,
        lower=value - 1,
        upper=value + 3,
        alarm=none.astype(np.int64),
        change=none.astype(np.uint8),
        share=np.full((count, 2), 0.5, np.float32),
        signal=none.astype(np.int8),
        once_in=none.astype(np.float32),
        achieved=none.astype(np.float32),
        coverage=np.ones(count, np.float32),
        quality=np.zeros((count, 2), np.uint8),
        ready_in=none.astype(np.int32),
    )


def enter(book: VerdictBook, store: Store, monitor: Monitor, said: Verdicts) -> None:
    with store.transaction():
        book.enter(monitor, said)


def test_a_verdict_is_a_row_of_each_channel(store: Store, monitor: Monitor) -> None:
    enter(VerdictBook(store), store, monitor, verdicts([1, 0], [10, 20]))
    assert store.db.execute(ALL).fetchall() == [
        (10, "b", "flow", 10.25, 11.25, 9.25, 13.25, 0.5, 1, 1, 0, None, 0),
        (10, "b", "heat", 10.5, 11.5, 9.5, 13.5, 0.5, 1, 1, 0, None, 1),
        (20, "a", "flow", 20.25, 21.25, 19.25, 23.25, 0.5, 1, 1, 0, None, 0),
        (20, "a", "heat", 20.5, 21.5, 19.5, 23.5, 0.5, 1, 1, 0, None, 1),
    ]


def test_what_is_not_as_usual_is_stored_too(store: Store, monitor: Monitor) -> None:
    said = verdicts([0, 0, 0, 0], [10, 20, 30, 40])
    said.value[0, 0] = said.expected[0, 0] = said.score[0] = np.nan
    said.coverage[1] = 0.5
    said.quality[2, 1] = 4
    said.alarm[3] = 30
    enter(VerdictBook(store), store, monitor, said)
    rows = store.db.execute(
        "SELECT time, channel, value, expected, score, coverage, quality, alarm FROM verdict ORDER BY time, place"
    ).fetchall()
    assert rows[0] == (10, "flow", None, None, None, 1, 0, None)
    assert [row[5:] for row in rows[1:]] == [
        (1, 0, None), (0.5, 0, None), (0.5, 0, None), (1, 0, None), (1, 4, None), (1, 0, 30), (1, 0, 30)
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 7, 8, 9, 40, 5000])
def test_any_number_of_verdicts_comes_back_as_it_was(count: int, store: Store, monitor: Monitor) -> None:
    said = verdicts([k % 2 for k in range(count)], [k // 2 for k in range(count)])
    random = np.random.default_rng(count)
    said.quality[random.random(said.quality.shape) < 0.3] = 1
    said.alarm[random.random(count) < 0.2] = 7
    enter(VerdictBook(store), store, monitor, said)
    rows = store.db.execute(ALL).fetchall()
    assert [row[3] for row in rows] == said.value.ravel().tolist()
    assert [row[10] for row in rows] == said.quality.ravel().tolist()
    assert [row[11] or 0 for row in rows] == said.alarm.repeat(2).tolist()


def test_what_was_said_of_a_slot_once_stays(store: Store, monitor: Monitor) -> None:
    book = VerdictBook(store)
    enter(book, store, monitor, verdicts([0], [10]))
    again = verdicts([0, 0], [10, 20])
    again.value[:] = 99
    again.coverage[:] = 0.5
    enter(book, store, monitor, again)
    assert store.db.execute("SELECT time, value FROM verdict ORDER BY time, place").fetchall() == [
        (10, 10.25), (10, 10.5), (20, 99), (20, 99)
    ]  # fmt: skip


def test_streams_that_begin_later_have_series_of_their_own(store: Store, monitor: Monitor) -> None:
    book = VerdictBook(store)
    enter(book, store, monitor, verdicts([0], [10]))
    begin(monitor, store, "c")
    enter(book, store, monitor, verdicts([2, 0], [10, 20]))
    names = "SELECT DISTINCT name, channel FROM verdict JOIN stream ON stream.id = stream ORDER BY 1, 2"
    assert store.db.execute(names).fetchall() == [("a", "flow"), ("a", "heat"), ("c", "flow"), ("c", "heat")]


def test_after_a_rollback_the_series_are_given_anew(store: Store, monitor: Monitor) -> None:
    book = VerdictBook(store)

    def fail() -> None:
        with store.transaction():
            book.enter(monitor, verdicts([0], [10]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    book.restore()
    enter(book, store, monitor, verdicts([1, 0], [10, 10]))
    assert [row[:3] for row in store.db.execute(ALL)] == [
        (10, "a", "flow"), (10, "a", "heat"), (10, "b", "flow"), (10, "b", "heat")
    ]  # fmt: skip


def test_a_series_is_of_one_stream_and_channel_and_has_the_place_of_the_newest_bundle(store: Store) -> None:
    with store.transaction():
        one, other = store.add_streams("pumps", ["a", "b"])
        first = add_series(store.db, [one, other], ["flow", "heat"])
        second = add_series(store.db, [one], ["heat", "load"])
    assert first.shape == (2, 2)
    assert len(np.unique(np.concatenate([first.ravel(), second.ravel()]))) == 5
    assert second[0, 0] == first[0, 1]
    places = store.db.execute("SELECT channel, place FROM series WHERE stream = ? ORDER BY place, channel", (one,))
    assert places.fetchall() == [("flow", 0), ("heat", 0), ("load", 1)]


def test_with_alarms_only_slots_that_are_anomalous_or_within_an_alarm_are_kept(store: Store, monitor: Monitor) -> None:
    said = verdicts([0] * 5, [10, 20, 30, 40, 50])
    said.status[1] = Status.ANOMALY
    said.alarm[2] = 30
    said.change[3] = Change.CLOSED
    enter(VerdictBook(store, "alarms"), store, monitor, said)
    assert store.db.execute("SELECT DISTINCT time FROM verdict").fetchall() == [(20,), (30,), (40,)]


def test_columns_left_out_have_their_defaults(store: Store) -> None:
    with store.transaction():
        (series,) = add_series(store.db, store.add_streams("pumps", ["a"]), ["flow"]).ravel().tolist()
        insert(store.db, [10], [series], [1.5], [None], [None], [None], [0.5], [1])
    assert store.db.execute("SELECT coverage, quality, alarm FROM verdict").fetchall() == [(1, 0, None)]
