import msgspec
import pytest

from service.doctor.history import read_history
from service.operation.standing import Standing
from service.storage.history import HistorySettings
from tests.conftest import INTERVAL_MS
from tests.service.conftest import FIRST, Bench, MakeBench, MakeMonitor, readings
from tests.system.conftest import wait_until


def tell(bench: Bench) -> None:
    standing = Standing(bench.counters, bench.inbox)
    standing.look(bench.writer._transaction.monitors)
    bench.stop()
    bench.store.open()
    with bench.store.transaction():
        bench.store.save_standing(msgspec.json.encode(standing.tell()))
    bench.store.close()


@pytest.mark.parametrize("verdicts", ["all", "alarms"])
def test_the_newest_reading_is_known_though_its_verdict_is_not_stored(
    verdicts: str, make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    history = HistorySettings.model_validate({"verdicts": verdicts})
    bench = make_bench(make_monitor(payload="json", time="ts"), history=history)
    bench.take(readings(range(60), spikes=[20]))
    wait_until(lambda: len(bench.acknowledged) == 60, "all is committed")
    tell(bench)
    found = read_history(bench.database, held=False)
    assert found.reading_ms == FIRST + 59 * INTERVAL_MS
    assert found.newest_ms == FIRST + (59 if verdicts == "all" else 27) * INTERVAL_MS


def test_before_the_service_has_told_the_newest_verdict_is_known(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor())
    assert read_history(bench.database, held=True).reading_ms is None
    bench.stop()
    bench.store.open()
    with bench.store.transaction():
        bench.store.db.execute("INSERT INTO stream VALUES (1, 'main', 'a')")
        bench.store.db.execute("INSERT INTO series VALUES (1, 1, 'value', 0)")
        bench.store.db.execute("INSERT INTO series_verdict (time, series, status) VALUES (5000, 1, 1)")
    bench.store.close()
    assert read_history(bench.database, held=False).reading_ms == 5000


def test_how_many_readings_came_too_late_is_known_by_monitor(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts", lateness_s=30))
    bench.take([*readings(range(20)), *readings(range(3, 5))])
    wait_until(lambda: len(bench.acknowledged) == 22, "all is committed")
    tell(bench)
    assert read_history(bench.database, held=False).late == {"main": 2}
