import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.messages.alarm import alarm_id
from edge.messages.stamp import iso
from service.alarms.alarms import AlarmBook
from service.alarms.incidents import Incidents
from service.alarms.maintenance import MaintenanceSettings
from service.alarms.mutes import Mutes
from service.counters import Counters
from service.pipeline.columns import Columns
from service.pipeline.monitor import Monitor
from service.relays.mqtt_sink import mqtt_sinks
from service.relays.outbox import Outbox
from service.storage.store import Store
from tests.conftest import INTERVAL_MS
from tests.service.conftest import FIRST, MakeBench, MakeMonitor, message, readings


def test_the_same_alarm_has_the_same_id_and_no_other_has_it() -> None:
    known = alarm_id("main", "north/a", "pump/1", 1000)
    assert known == alarm_id("main", "north/a", "pump/1", 1000)
    others = [
        alarm_id("mai", "nnorth/a", "pump/1", 1000),
        alarm_id("main", "north/b", "pump/1", 1000),
        alarm_id("main", "north/a", "pump/2", 1000),
        alarm_id("main", "north/a", "pump/1", 1001),
    ]
    assert len({known, *others}) == 5


def test_an_id_never_changes_between_versions() -> None:
    # ids are in databases and in other systems: this literal may not be edited
    assert alarm_id("main", "north/a", "pump/1", 1_700_000_000_000) == "fc6ca80a1494fd6565b4687669f3041b"


def test_times_leave_as_iso_8601_in_utc() -> None:
    assert iso(1_700_000_000_000) == "2023-11-14T22:13:20.000Z"


@pytest.fixture
def make_maintained(tmp_path: Path, make_monitor: MakeMonitor) -> Callable[[int, int], Monitor]:
    """Return a maker of monitors of streams that are maintained from one slot to before another."""

    def make(first: int, last: int) -> Monitor:
        start, end = (datetime.fromtimestamp((FIRST + slot * INTERVAL_MS) / 1000, UTC) for slot in (first, last))
        lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}"]
        (tmp_path / "plant.ics").write_text("\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""]))
        return make_monitor(payload="json", time="ts", maintenance=[MaintenanceSettings(ics=tmp_path / "plant.ics")])

    return make


MakeMaintained = Callable[[int, int], Monitor]
ALARM = 'SELECT suppressed, raised, told, "end" IS NOT NULL FROM alarm'


def test_an_alarm_within_a_window_is_stored_and_nobody_is_told(
    make_bench: MakeBench, make_maintained: MakeMaintained
) -> None:
    bench = make_bench(make_maintained(15, 40))
    bench.take(readings(range(50), spikes=[20]))
    bench.stop()

    assert bench.query(ALARM) == [("maintenance: plant.ics", None, 0, 1)]
    assert bench.query("SELECT sum(status = 2), count(*) FROM verdict") == [(2, 50)]
    assert bench.told() == []
    assert bench.counters.alarms == 1


@pytest.mark.parametrize(
    "batches", [[range(40)], [range(21), range(21, 24), range(24, 40)], [range(23), range(23, 40)]]
)
def test_an_alarm_that_outlasts_its_window_is_told_then_whatever_the_batches(
    make_bench: MakeBench, make_maintained: MakeMaintained, batches: list[range]
) -> None:
    monitor = make_maintained(15, 24)
    for slots in batches:  # the service is started anew each time
        bench = make_bench(monitor)
        bench.take(readings(slots, spikes=[20]))
        bench.stop()

    raised = FIRST + 24 * INTERVAL_MS
    assert bench.query(ALARM) == [("maintenance: plant.ics", raised, 1, 1)]
    opened, closed = bench.told()
    assert (opened["state"], opened["start"], opened["raised"]) == ("opened", at(20), at(24))
    assert opened["suppressed"] == "maintenance: plant.ics"
    assert (closed["state"], closed["id"]) == ("closed", opened["id"])


def test_an_alarm_from_before_the_window_is_told_to_its_end(
    make_bench: MakeBench, make_maintained: MakeMaintained
) -> None:
    bench = make_bench(make_maintained(21, 40))
    bench.take(readings(range(40), spikes=[20]))
    bench.stop()

    assert [told["state"] for told in bench.told()] == ["opened", "closed"]
    assert bench.told()[0]["suppressed"] is None
    assert bench.told()[0]["severity"] == "critical"


def test_an_alarm_says_why_in_a_sentence_and_as_data(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    bench.take(readings(range(23), spikes=[20]))
    bench.stop()

    (told,) = bench.told()
    assert told["explanation"].startswith("value 100 l/s, expected 0 (-15 to 15): above since 22:16 UTC; so unusual")
    (seen,) = told["evidence"]["channels"]
    assert (seen["actual"], seen["expected"], seen["direction"]) == (100.0, told["expected"], "above")
    evidence = told["evidence"]
    assert (evidence["signal"], evidence["coverage"], evidence["ready_in"]) == ("error", 1.0, None)
    assert (evidence["budget"], evidence["achieved"]) == ("1 per month", None)  # which allows not even one so far
    assert bench.query("SELECT explanation FROM alarm") == [(told["explanation"],)]


def test_an_alarm_says_what_is_wrong_with_the_data_and_how_the_budget_is_kept(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    monitor = make_monitor(
        "plant/{device}",
        {"channels": ("flow", "level")},
        payload="json",
        fields={"flow": "f", "level": "l"},
        time="ts",
        budget="100 per hour",
    )
    bench = make_bench(monitor)
    for slot in range(31):
        level = {} if slot >= 20 else {"l": slot % 3 / 10}
        body = {"ts": FIRST + slot * INTERVAL_MS, "f": 100.0 if slot == 24 else slot % 3 / 10} | level
        bench.take([message("plant/a", json.dumps(body).encode(), FIRST + slot * INTERVAL_MS)])
    bench.stop()

    evidence = bench.told()[0]["evidence"]
    assert [(each["channel"], each["quality"]) for each in evidence["channels"]] == [
        ("flow", []),
        ("level", ["silent"]),
    ]
    assert (evidence["coverage"], evidence["budget"], evidence["achieved"]) == (0.5, "100 per hour", 0.0)
    assert "level missing [silent]" in bench.told()[0]["explanation"]


def test_an_alarm_while_a_stream_is_still_learnt_says_so(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(bundle={"streams": ("other",), "burn_in": 20}, payload="json", time="ts"))
    bench.take(readings(range(33), spikes=[30]))
    bench.stop()

    (told,) = bench.told()
    assert told["explanation"] == (
        "value 100.0 l/s, expected 0.2 (-1.8 to 2.2): above since 22:18 UTC; still learning, ready in about 5 min."
    )
    assert (told["evidence"]["ready_in"], told["evidence"]["signal"]) == ("about 5 min", None)


@pytest.mark.parametrize("last", [24, 40])
def test_a_held_alarm_of_a_stream_that_fell_silent_is_told_once_its_window_is_over(
    make_maintained: MakeMaintained, database: Path, last: int
) -> None:
    monitor, store = make_maintained(15, last), Store(database)
    store.open()
    outbox = Outbox(store, mqtt_sinks([monitor]), Counters())
    book = AlarmBook(store, Mutes(store), Incidents(store, [monitor], None, outbox), outbox)

    def tick(now_ms: int) -> list[str]:
        with store.transaction():
            book.enter(monitor, monitor.tick(now_ms))
            book.release_silent(monitor, monitor.silent(now_ms))
            book.finish()
            return [json.loads(body)["raised"] for (body,) in store.db.execute("SELECT body FROM outbox")]

    monitor.row("a")
    with store.transaction():
        monitor.begin(store.add_streams("main", monitor.new_names()))
        columns = Columns()
        values = [100.0 if slot > 20 else slot % 3 / 10 for slot in range(23)]
        columns.add(0, 0, [FIRST + slot * INTERVAL_MS for slot in range(23)], values)
        book.enter(monitor, monitor.engine.feed(monitor.readings(columns)))
    monitor.heard(0)

    assert tick(3 * INTERVAL_MS) == []
    silent = tick(9 * INTERVAL_MS)  # of which slot 27 tells
    assert silent == ([at(27)] if last < 27 else [])
    assert tick(30 * INTERVAL_MS) == (silent or [at(52)])
    assert tick(40 * INTERVAL_MS) == (silent or [at(52)])
    store.close()


def at(slot: int) -> str:
    return iso(FIRST + slot * INTERVAL_MS)
