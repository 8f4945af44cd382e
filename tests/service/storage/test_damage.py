"""Broken databases: what is found, what is put aside, and what the writer then does."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.operation.damage import quarantined
from service.relays.outbox import OutboxReader
from service.storage.store import Store
from tests.service.conftest import MakeBench, MakeMonitor, readings
from tests.system.conftest import wait_until

_PAGE = 4096


def fill(database: Path) -> None:
    store = Store(database)
    store.open()
    with store.transaction():
        store.add_streams("main", [f"stream {i:0500}" for i in range(200)])
        store.post("mqtt", "a", b"{}")
    store.close()


def overwrite(path: Path, start: int, end: int | None = None, by: bytes = b"\xa5") -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(start)
        file.write(by * ((end or size) - start))


@pytest.mark.parametrize(("start", "end"), [(_PAGE, None), (0, 4 * _PAGE)], ids=["pages", "an empty header"])
def test_a_broken_database_is_put_aside_and_a_new_one_begun(
    start: int, end: int | None, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database)
    overwrite(database, start, end, b"\0" if end else b"\xa5")
    broken = database.read_bytes()

    store = Store(database)
    store.open()

    assert store.load_streams("main") == []
    (aside,) = quarantined(database)
    assert aside.read_bytes() == broken
    assert "and a new one begun: all streams begin anew" in caplog.text
    store.close()


def test_what_a_relay_has_read_of_the_old_outbox_does_not_hide_the_new_one(database: Path) -> None:
    fill(database)
    (old,) = OutboxReader(database, "mqtt").read(0, 10)
    overwrite(database, _PAGE)
    store = Store(database)
    store.open()
    with store.transaction():
        store.post("mqtt", "a", b"new")
    store.close()
    assert [row.body for row in OutboxReader(database, "mqtt").read(old.id, 10)] == [b"new"]


def test_a_log_whose_end_is_torn_loses_no_more_than_its_last_transaction(database: Path, tmp_path: Path) -> None:
    store = Store(database)
    store.open()
    for name in ("a", "b", "c"):
        with store.transaction():
            store.add_streams("main", [name])
    torn = tmp_path / "torn.db"
    for suffix in ("", "-wal"):  # as a power failure leaves them
        shutil.copy(f"{database}{suffix}", f"{torn}{suffix}")
    store.close()
    wal = Path(f"{torn}-wal")
    overwrite(wal, wal.stat().st_size - 100)

    store = Store(torn)
    store.open()

    assert [stream.name for stream in store.load_streams("main")] == ["a", "b"]
    assert quarantined(torn) == []
    store.close()


def test_a_database_that_breaks_while_it_is_written_is_put_aside_and_nothing_is_lost(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    bench.take(readings(range(15)))
    wait_until(lambda: len(bench.acknowledged) == 15, "the first half is committed")
    with closing(sqlite3.connect(bench.database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(bench.database, _PAGE)

    bench.take(readings(range(15, 30)))

    wait_until(lambda: len(bench.acknowledged) == 30, "the second half is committed")
    assert bench.query("SELECT count(*) FROM verdict") == [(15,)]
    assert len(quarantined(bench.database)) == 1
    assert bench.counters.balanced(0)
