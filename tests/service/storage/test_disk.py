import os
import sqlite3
from pathlib import Path

import pytest

from service.storage import disk
from service.storage.disk import Disk, is_full

MIB = 1024 * 1024


@pytest.fixture
def ballast(database: Path) -> Path:
    database.parent.mkdir()
    return database.with_name("foresense.db.ballast")


def test_the_ballast_is_made_given_up_and_made_again(
    database: Path, ballast: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_LOOK_S", 0.0)
    kept = Disk(database, MIB)
    kept.start()
    assert ballast.stat().st_blocks * 512 >= MIB  # it takes real room
    assert not kept.is_tight

    kept.filled()
    assert kept.is_tight
    assert not ballast.exists()

    kept.look()
    assert not kept.is_tight
    assert ballast.stat().st_size == MIB


def test_the_ballast_waits_for_twice_its_room(
    database: Path, ballast: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(disk, "_LOOK_S", 0.0)
    space = os.statvfs(database.parent)
    kept = Disk(database, space.f_bavail * space.f_frsize)
    kept.start()
    assert "no room for a ballast" in caplog.text
    assert not kept.is_tight  # until the database says so
    kept.filled()
    kept.look()
    assert kept.is_tight
    assert not ballast.exists()


def test_a_ballast_of_another_size_is_made_anew(database: Path, ballast: Path) -> None:
    Disk(database, 2 * MIB).start()
    Disk(database, MIB).start()
    assert ballast.stat().st_size == MIB


def test_only_a_full_disk_is_taken_for_one(database: Path, ballast: Path) -> None:
    assert not ballast.exists()
    db = sqlite3.connect(database)
    db.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as full:
        db.executescript("CREATE TABLE a (b); CREATE TABLE c (d); CREATE TABLE e (f);")
    assert is_full(full.value)
    with pytest.raises(sqlite3.OperationalError) as wrong:
        db.execute("SELECT nothing")
    assert not is_full(wrong.value)
    db.close()
