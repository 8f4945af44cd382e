"""A new bundle takes over between two batches of a writer with a real database."""

from typing import Any

import pytest

from service.pipeline.monitor import Monitor
from service.reload.change import Change
from service.reload.warming import Warmed, may_warm
from tests.service.conftest import Bench, MakeBench, MakeMonitor, readings
from tests.system.conftest import wait_until

VERDICTS = """SELECT name, time, channel, value, expected, lower, upper, score, status, alarm
    FROM verdict JOIN stream ON stream.id = stream ORDER BY 1, 2, 3"""


def replace(bench: Bench, *monitors: Monitor, warmed: dict[str, Warmed] | None = None) -> None:
    change = Change(monitors, warmed or {})
    bench.writer.replace(change)
    assert change.done.wait(10)


def warm(bench: Bench, monitor: Monitor) -> dict[str, Warmed]:
    warmed = Warmed(monitor)
    warmed.read(bench.database)
    return {monitor.name: warmed}


def take(bench: Bench, slots: range, **more: Any) -> None:
    before = len(bench.acknowledged)
    bench.take(readings(slots, **more))
    wait_until(lambda: len(bench.acknowledged) == before + len(slots), "all is committed")


@pytest.mark.parametrize("lateness", [0, 30])
@pytest.mark.parametrize("at", [15, 21, 24])
def test_the_verdicts_go_on_as_if_the_new_bundle_had_always_been_there(
    at: int, lateness: int, make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    options: dict[str, Any] = {"payload": "json", "time": "ts", "lateness_s": lateness}
    undisturbed = make_bench(make_monitor(**options))
    take(undisturbed, range(70), spikes=[20, 50])
    undisturbed.stop()
    expected = undisturbed.query(VERDICTS)
    for path in undisturbed.database.parent.iterdir():
        path.unlink()

    bench = make_bench(make_monitor(**options, bundle={"version": "2"}))
    take(bench, range(at), spikes=[20, 50])
    new = make_monitor(**options, bundle={"version": "3"})
    warmed = warm(bench, new)
    take(bench, range(at, at + 2), spikes=[20, 50])  # it is not waited for
    replace(bench, new, warmed=warmed)
    take(bench, range(at + 2, 70), spikes=[20, 50])
    bench.stop()

    assert bench.query(VERDICTS) == expected
    assert bench.query('SELECT count(*), count("end") FROM alarm') == [(2, 2)]
    assert [told["state"] for told in bench.told()] == ["opened", "closed"] * 2
    assert len({told["id"] for told in bench.told()}) == 2
    assert bench.query("SELECT DISTINCT bundle FROM state") == [("pump/3",)]
    assert bench.counters.late == bench.counters.duplicates == 0


def test_without_history_to_warm_it_streams_begin_anew_and_their_alarms_end(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    take(bench, range(22), spikes=[20])
    replace(bench, make_monitor(payload="json", time="ts", bundle={"version": "2"}))
    take(bench, range(22, 30))
    assert bench.query('SELECT count(*), count("end") FROM alarm') == [(1, 1)]
    assert bench.query("SELECT sum(status = 0) FROM verdict") == [(8,)]


def test_a_monitor_that_is_the_same_keeps_its_engine_and_one_that_goes_ends_its_alarms(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    stays = make_monitor("plant/a/{channel}", payload="json", time="ts", name="stays", bundle={"streams": ("stays",)})
    goes = make_monitor(
        "plant/b/{channel}", payload="json", time="ts", name="goes", bundle={"version": "2", "streams": ("goes",)}
    )
    bench = make_bench(stays, goes)
    for device in "ab":
        take(bench, range(22), spikes=[20], device=device)
    engine = stays.engine

    replace(bench, stays)

    assert bench.writer._transaction.monitors == (stays,)
    assert stays.engine is engine
    select = 'SELECT monitor, "end" IS NULL FROM alarm JOIN stream ON stream.id = stream ORDER BY 1'
    assert bench.query(select) == [("goes", 0), ("stays", 1)]
    take(bench, range(22, 30), device="a")
    bench.take(readings(range(22, 23), device="b"))
    wait_until(lambda: bench.counters.rejected == 1, "nobody watches it any more")


def test_a_change_is_made_once_the_database_lets_it(
    make_bench: MakeBench, make_monitor: MakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    take(bench, range(15))
    new = make_monitor(payload="json", time="ts", bundle={"version": "2"})
    monkeypatch.setenv("FORESENSE_FAILPOINT", "before-commit=full")
    from edge.operation import failpoint

    failpoint._wanted.cache_clear()
    replace(bench, new, warmed=warm(bench, new))
    monkeypatch.delenv("FORESENSE_FAILPOINT")
    failpoint._wanted.cache_clear()
    take(bench, range(15, 30), spikes=[20])
    assert bench.counters.retries == 1
    assert bench.query("SELECT DISTINCT bundle FROM state") == [("pump/2",)]
    assert bench.query("SELECT sum(status = 0) FROM verdict") == [(4,)]


def test_history_says_nothing_to_a_bundle_of_other_channels_or_slots(make_monitor: MakeMonitor) -> None:
    old = make_monitor()
    others: list[dict[str, Any]] = [{"channels": ("flow",)}, {"interval_ms": 20_000}]
    for number, other in enumerate(others):
        assert not may_warm(old, make_monitor(bundle={"version": str(number + 2), **other}))
    assert may_warm(old, make_monitor(bundle={"version": "9"}))
    assert not may_warm(old, make_monitor(bundle={"version": "10"}, lateness_s=1))
