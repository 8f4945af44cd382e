import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.operation.lock import InstanceLock, is_held
from service.doctor.database import look_at_database
from service.doctor.finding import Finding, Level
from service.doctor.history import read_history
from service.storage.store import SCHEMA_VERSION, Store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a database of two streams, closed."""
    path = tmp_path / "foresense.db"
    with closing(Store(path)) as store:
        store.open()
        with store.transaction():
            store.add_streams("main", [f"pump-{number}" for number in range(500)])
            store.add_streams("other", ["fan-1"])
    return path


def found(database: Path, held: bool = False) -> list[Finding]:
    return list(look_at_database(database, held))


def test_a_database_that_is_whole_is_told_and_nothing_is_made_beside_it(database: Path) -> None:
    service, whole = found(database)
    assert service.said == "it is not running"
    assert (whole.level, whole.said) == (Level.OK, f"{database} is whole")
    assert read_history(database, held=False).streams == {"main": 500, "other": 1}
    assert [path.name for path in database.parent.iterdir()] == ["foresense.db"]


def test_a_page_that_is_damaged_is_found(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'stream'").fetchone()
    with database.open("r+b") as file:
        file.seek(size * (page - 1))
        file.write(b"\xff" * size)
    finding = found(database)[-1]
    assert finding.level is Level.FAIL
    assert "is damaged" in finding.said or "cannot be read" in finding.said
    assert ".recover" in finding.remedy


def test_what_is_no_database_fails(database: Path) -> None:
    database.write_bytes(b"no database, but long enough for a header of one" * 100)
    finding = found(database)[-1]
    assert (finding.level, finding.said) == (Level.FAIL, f"{database} cannot be read: file is not a database")


def test_a_database_of_a_newer_program_fails(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    assert found(database)[1].level is Level.FAIL


def test_one_that_is_not_there_yet_is_in_order(tmp_path: Path) -> None:
    assert found(tmp_path / "none.db")[-1].said == f"{tmp_path}/none.db is not there yet"


def test_a_running_service_is_seen_by_its_lock(database: Path) -> None:
    lock = InstanceLock(database)
    assert not is_held(database)
    lock.acquire()
    assert is_held(database)
    assert found(database, held=True)[0].said == "it is running"
    lock.release()
    assert not is_held(database)
