"""Backups of a database that is being written."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from click.testing import CliRunner

from edge.errors import DataError
from service.cli import main
from service.storage.backup import copy
from service.storage.store import Store
from tests.system.conftest import wait_until


def test_a_copy_is_of_one_moment_while_the_service_goes_on_writing(database: Path, tmp_path: Path) -> None:
    store, stop, number = Store(database), Event(), 0
    store.open()

    def write() -> None:  # two rows a transaction, always
        nonlocal number
        while not stop.is_set():
            with store.transaction():
                store.add_streams("main", [f"{number} a {'x' * 500}", f"{number} b {'x' * 500}"])
            number += 1

    thread = Thread(target=write)
    thread.start()
    try:
        wait_until(lambda: number >= 200, "something is written")
        for i in range(3):
            copy(database, tmp_path / f"copy-{i}.db")
    finally:
        stop.set()
        thread.join()
        store.close()

    counts = []
    for i in range(3):
        with closing(sqlite3.connect(tmp_path / f"copy-{i}.db")) as db:
            counts.append(db.execute("SELECT count(*), max(id) FROM stream").fetchone())
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert all(count == newest and count % 2 == 0 for count, newest in counts)
    assert counts == sorted(counts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy-0.db", "copy-1.db", "copy-2.db", "data"]


def test_a_service_can_go_on_from_a_copy(database: Path, tmp_path: Path) -> None:
    store = Store(database)
    store.open()
    with store.transaction():
        store.add_streams("main", ["a"])
    out = tmp_path / "copy.db"
    result = CliRunner().invoke(main, ["backup", str(database), "--out", str(out)])
    store.close()
    assert (result.exit_code, result.output) == (0, f"{out}: {out.stat().st_size:,} bytes, whole, as of now\n")
    again = Store(out)
    again.open()
    assert [stream.name for stream in again.load_streams("main")] == ["a"]
    again.close()

    result = CliRunner().invoke(main, ["backup", str(database), "--out", str(out)])
    assert result.exit_code == 2
    assert "--out: " in result.output
    assert "expected a file that is not there yet, got one that is" in result.output


def test_a_broken_database_gives_no_copy(database: Path, tmp_path: Path) -> None:
    store = Store(database)
    store.open()
    with store.transaction():
        store.add_streams("main", [f"{i:0500}" for i in range(100)])
        (page,) = store.db.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_stream_1'"
        ).fetchone()
        (size,) = store.db.execute("PRAGMA page_size").fetchone()
    store.close()
    with database.open("r+b") as file:
        file.seek(size * (page - 1))
        file.write(b"\xa5" * size)
    with pytest.raises(DataError, match="expected a database that is whole, got: "):
        copy(database, tmp_path / "copy.db")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
