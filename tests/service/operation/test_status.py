import json
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import yaml
from click.testing import CliRunner

from edge.operation.lock import InstanceLock, is_held
from service.cli import main
from service.operation.standing import Standing
from service.relays.letters import Letter
from tests.service.conftest import MakeBench, MakeMonitor, message, readings
from tests.system.conftest import wait_until


@pytest.fixture
def config(tmp_path: Path, database: Path) -> Path:
    path = tmp_path / "foresense.yaml"
    monitors = {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump"}}
    path.write_text(yaml.safe_dump({"database": str(database), "monitors": monitors}))
    return path


def run(config: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["status", str(config), *options])
    return result.exit_code, result.output


def test_it_tells_of_a_service_that_runs(config: Path, make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    lock = InstanceLock(bench.database)
    lock.acquire()
    bench.take([*readings(range(22), spikes=[20]), message(payload=b"{")])
    wait_until(lambda: bench.query("SELECT count(*) FROM standing") == [(1,)], "it has told")

    code, said = run(config)
    assert code == 0
    assert said.startswith("running since ")
    assert "alarms open: main 1\n" in said
    assert "states of main: pump/1 1\n" in said
    assert "outbox: mqtt 1\n" in said
    assert "dead letters: syntax 1\n" in said
    assert "readings: 22 fed; of these 0 duplicate, 0 conflicting, 0 late, 0 of a wrong clock, 0 invalid\n" in said
    assert "main: bundle pump/1; learning 0, normal 0, alarm 1, silent 0; newest reading of 2023-11-14T" in said

    code, said = run(config, "--json")
    told = json.loads(said)
    assert code == 0
    assert (told["running"], told["streams"], told["bundles"]) == (True, {"main": 1}, {"main": {"pump/1": 1}})
    assert told["told"]["counters"]["received"] == 23
    assert told["database_bytes"] > bench.database.stat().st_size, "its log has what it has not"
    assert set(told["told"]["per_second"]) == {"received", "readings", "verdicts"}
    lock.release()


def test_it_tells_of_one_that_does_not(config: Path, make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    assert run(config)[0] == 2  # never started
    bench = make_bench(make_monitor())
    bench.stop()
    bench.database.with_name("foresense.db.corrupt-20260101T000000.000000Z").touch()
    code, said = run(config)
    assert code == 1
    assert said.startswith("not running")
    assert "broken database put aside: foresense.db.corrupt-20260101T000000.000000Z\n" in said


def test_it_tells_what_sinks_have_refused(config: Path, make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor())
    assert "refused by sinks" not in run(config)[1]
    bench.writer.forget([], [Letter(1, "history", "verdict", "", b"x", "400")])
    wait_until(lambda: bench.query("SELECT count(*) FROM relay_letter") == [(1,)], "it is kept")
    assert "refused by sinks: history 1\n" in run(config)[1]


def test_looking_does_not_keep_a_service_from_its_lock(database: Path) -> None:
    assert not is_held(database)
    lock = InstanceLock(database)
    lock.acquire()
    assert is_held(database)
    lock.release()
    assert not is_held(database)
    lock.acquire()
    lock.release()


def test_it_tells_which_monitors_readings_came_too_late(
    config: Path, make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts", lateness_s=30))
    bench.take([*readings(range(20)), *readings(range(3, 5))])
    wait_until(lambda: bench.counters.late == 2, "they are counted")
    told = Standing(bench.counters, bench.inbox).tell()
    bench.stop()
    with closing(sqlite3.connect(bench.database)) as db, db:
        db.execute("INSERT OR REPLACE INTO standing VALUES (1, ?)", (msgspec.json.encode(told),))
    assert "too late to be used: main 2\n" in run(config)[1]
