"""The writer with a real database: what it commits, and what it does when the database refuses."""

import json
import sqlite3
import threading

import pytest

from edge.payloads.rejects import Reason
from edge.waiting import ROOM
from service.relays.outbox import Outbox
from service.storage.store import Store
from service.storage.verdict_book import VerdictBook
from tests.conftest import INTERVAL_MS
from tests.service.conftest import FIRST, MakeBench, MakeMonitor, message, readings
from tests.system.conftest import wait_until


def test_readings_are_committed_and_then_acknowledged_in_order(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))

    bench.take(readings(range(30), spikes=[20]))
    bench.stop()

    assert [m.mid for m in bench.acknowledged] == list(range(1, 31))
    assert bench.query("SELECT count(*), min(time), sum(status = 2) FROM verdict") == [(30, FIRST, 2)]
    (alarm,) = bench.query('SELECT channel, value, score > 1, "start", "end", peak_score >= score FROM alarm')
    assert alarm == ("value", 100.0, 1, FIRST + 20 * INTERVAL_MS, FIRST + 27 * INTERVAL_MS, 1)
    assert [json.loads(row[0])["state"] for row in bench.query("SELECT body FROM outbox")] == ["opened", "closed"]  # type: ignore[arg-type]
    assert bench.counters.balanced(0)
    assert (bench.counters.verdicts, bench.counters.alarms, bench.inbox.in_flight) == (30, 1, 0)


def test_what_comes_again_changes_nothing(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))

    bench.take(readings(range(30), spikes=[20]))
    bench.take(readings(range(30), spikes=[20]))
    bench.stop()

    assert bench.query("SELECT count(*) FROM verdict") == [(30,)]
    assert bench.query("SELECT count(*) FROM outbox") == [(2,)]
    assert (bench.counters.duplicates, bench.counters.conflicts) == (30, 0)
    assert len(bench.acknowledged) == 60
    assert bench.counters.balanced(0)


def test_another_value_of_a_time_that_has_one_is_a_conflict_also_after_a_restart(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    monitor = make_monitor(payload="json", time="ts")
    bench = make_bench(monitor)
    bench.take(readings(range(30)))
    bench.take(readings(range(29, 30), spikes=[29]))
    bench.stop()
    assert (bench.counters.duplicates, bench.counters.conflicts) == (0, 1)

    bench = make_bench(monitor)
    bench.take(readings(range(29, 30), spikes=[29]))
    bench.take(readings(range(29, 30)))
    bench.stop()
    assert (bench.counters.duplicates, bench.counters.conflicts) == (1, 1)
    assert bench.query("SELECT count(*) FROM alarm") == [(0,)]


def test_a_stream_goes_on_after_a_restart_where_it_was(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    monitor = make_monitor(payload="json", time="ts")
    for slots in (range(22), range(22, 30)):  # the alarm is open in between
        bench = make_bench(monitor)
        bench.take(readings(slots, spikes=[20]))
        bench.stop()

    assert bench.query("SELECT count(*), sum(status > 0) FROM verdict") == [(30, 26)]
    assert bench.query('SELECT count(*), count("end") FROM alarm') == [(1, 1)]


def test_a_stream_begins_anew_with_another_bundle_and_its_alarm_ends(
    make_bench: MakeBench, make_monitor: MakeMonitor, caplog: pytest.LogCaptureFixture
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    bench.take(readings(range(22), spikes=[20]))
    bench.stop()

    bench = make_bench(make_monitor(payload="json", time="ts", bundle={"version": "2"}))
    bench.take(readings(range(22, 30)))
    bench.stop()

    assert "main: 1 streams begin anew: their state is not of bundle pump/2" in caplog.text
    assert bench.query("SELECT sum(status = 0) FROM verdict") == [(8,)]
    (alarm,) = bench.query('SELECT bundle, "end" - peak_time FROM alarm')
    assert alarm == ("pump/1", 0)


def test_every_bad_message_is_set_aside_with_its_reason(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(max_streams=1))

    bench.take(
        [
            message("plant/a/value", b"1"),
            message("plant/a/value", b"1" * 300_000),
            message("plant/a/value", b"warm"),
            message("plant/a/speed", b"1"),
            message("plant/b/value", b"1"),
            message("other", b"1"),
            message("", b"1"),
            message("plant/a/value", b"2", retain=True),
        ]
    )
    bench.stop()

    assert bench.query("SELECT reason, size FROM dead_letter") == [
        ("too-large", 300_000),
        ("not-a-number", 4),
        ("channel", 1),
        ("too-many-streams", 1),
        ("topic", 1),
        ("topic", 1),
    ]
    assert bench.query("SELECT count(*) FROM verdict") == [(1,)]
    assert bench.counters.rejects[Reason.TOPIC] == 2
    assert (bench.counters.committed, bench.counters.retained) == (1, 1)
    assert bench.counters.balanced(0)
    assert len(bench.acknowledged) == 8


def test_a_fault_in_reading_one_message_does_not_stop_the_others(
    make_bench: MakeBench, make_monitor: MakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = make_monitor()
    parse = monitor.parse

    def faulty(match: object, payload: bytes) -> object:
        if payload == b"2":
            raise ZeroDivisionError
        return parse(match, payload)  # type: ignore[arg-type]

    monkeypatch.setattr(monitor, "parse", faulty)
    bench = make_bench(monitor)
    bench.take([message(payload=b"1"), message(payload=b"2"), message(payload=b"3")])
    bench.stop()

    assert bench.query("SELECT reason, detail FROM dead_letter") == [("unexpected", "ZeroDivisionError()")]
    assert bench.counters.committed == 2


def test_while_the_database_is_locked_nothing_is_acknowledged_and_then_all(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    bench.take(readings(range(15), spikes=[10]))
    wait_until(lambda: len(bench.acknowledged) == 15, "the first half is committed")
    other = sqlite3.connect(bench.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    bench.take(readings(range(15, 30)))
    wait_until(lambda: bench.counters.retries > 0, "the database refuses")
    assert len(bench.acknowledged) == 15
    assert bench.counters.balanced(bench.inbox.in_flight)
    other.execute("ROLLBACK")
    other.close()
    wait_until(lambda: len(bench.acknowledged) == 30, "the second half is committed")

    assert bench.query("SELECT count(*) FROM verdict") == [(30,)]
    assert bench.query('SELECT count(*), count("end") FROM alarm') == [(1, 1)]


@pytest.mark.parametrize(
    ("failing", "of"),
    [
        ("add_streams", Store),
        ("save_states", Store),
        ("enter", VerdictBook),
        ("open_alarm", Store),
        ("post", Store),
        ("settle", Outbox),
    ],
)
def test_an_error_midway_undoes_the_whole_batch_and_it_is_tried_again(
    failing: str, of: type, make_bench: MakeBench, make_monitor: MakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = threading.local()

    def fail_once(owned: object, *arguments: object) -> object:
        if not getattr(calls, "failed", False):
            calls.failed = True
            raise sqlite3.OperationalError("disk I/O error")
        return original(owned, *arguments)

    original = getattr(of, failing)
    monkeypatch.setattr(of, failing, fail_once)
    bench = make_bench(make_monitor(payload="json", time="ts"))
    bench.take(readings(range(30), spikes=[20]))
    bench.stop()

    assert bench.counters.retries == 1
    assert bench.query("SELECT count(*), sum(status = 2) FROM verdict") == [(30, 2)]
    assert bench.query("SELECT count(*) FROM stream") == [(1,)]
    assert bench.query("SELECT count(*) FROM outbox") == [(2,)]
    assert bench.counters.balanced(0)
    assert len(bench.acknowledged) == 30


def test_a_writer_that_is_told_to_give_up_acknowledges_nothing(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor())
    other = sqlite3.connect(bench.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    bench.take([message()])
    wait_until(lambda: bench.counters.retries > 0, "the database refuses")

    bench.inbox.close()
    bench.writer.stop(1.5)

    assert not bench.writer.is_alive
    assert bench.acknowledged == []
    assert bench.counters.balanced(bench.inbox.in_flight)
    other.close()


def test_what_a_relay_delivered_is_forgotten_even_when_nothing_comes(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    bench.take(readings(range(30), spikes=[20]))
    wait_until(lambda: len(bench.acknowledged) == 30, "all is committed")

    bench.writer.forget([1])

    wait_until(lambda: bench.query("SELECT id FROM outbox") == [(2,)], "the first is gone")


def test_several_channels_give_a_row_each(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    monitor = make_monitor(
        "plant/{device}", {"channels": ("flow", "level")}, payload="json", fields={"flow": "f", "level": "l"}
    )
    bench = make_bench(monitor)
    bench.take([message("plant/a", b'{"f": 1, "l": 2}'), message("plant/a", b'{"f": 9}', FIRST + 10 * INTERVAL_MS)])
    bench.stop()

    assert bench.query("SELECT channel, value FROM verdict ORDER BY channel") == [("flow", 1.0), ("level", 2.0)]
    assert bench.counters.readings == 3


def test_a_reading_of_a_wrong_clock_is_counted_as_such(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    bench.take([*readings(range(20)), *readings(range(5000, 5001)), *readings(range(20, 30))])
    bench.stop()

    assert bench.query("SELECT count(*) FROM verdict") == [(30,)]
    assert (bench.counters.readings, bench.counters.clock, bench.counters.late) == (31, 1, 0)


def test_readings_used_before_their_time_are_counted(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts", lateness_s=3600))
    bench.take(readings(range(ROOM + 10)))
    bench.stop()

    assert bench.counters.early == 10
    assert bench.query("SELECT count(*) FROM verdict") == [(10,)]


def test_readings_that_came_too_late_to_be_used_are_told_by_their_monitor(
    make_bench: MakeBench, make_monitor: MakeMonitor, caplog: pytest.LogCaptureFixture
) -> None:
    other = make_monitor("fans/{device}/{channel}", {"version": "2"}, "fans", payload="json", time="ts", lateness_s=30)
    bench = make_bench(make_monitor(payload="json", time="ts", lateness_s=30), other)
    late = [message(f"{where}/a/value", readings(range(3, 4))[0].payload) for where in ("plant", "plant", "fans")]
    bench.take([*readings(range(20)), *late])
    bench.stop()

    assert bench.counters.late == 2
    assert bench.counters.late_of == {"main": 2}
    assert "main: readings came too late to be used: 2; lateness_s says how long they are waited for" in caplog.text
    assert "fans: " not in caplog.text
