import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.messages.alarm import Alarm
from edge.operation.failpoint import VARIABLE
from edge.operation.lock import InstanceLock
from edge.payloads.rejects import Reason
from service.relays.outbox import OutboxReader, OutboxRow
from service.storage.store import (
    _MIGRATIONS,
    _SCHEMA,
    MOST_DEAD_LETTERS,
    SCHEMA_VERSION,
    DeadLetter,
    Store,
    _upgrade,
)


def alarm(ident: str = "one", stream: int = 1) -> Alarm:
    return Alarm(ident, stream, "pump/1", "flow", 1000, None, 2.0, 9.0, 1.0, 0.0, 2.0, 2.0, 1000, "flow")


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            store.add_streams("main", ["a"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.load_streams("main") == []


def test_streams_come_back_with_their_states(store: Store) -> None:
    with store.transaction():
        first, second = store.add_streams("main", ["a", "b"])
        store.save_states([(first, "pump/1", 1, b"old")])
        store.save_states([(first, "pump/1", 1, b"new")])
    store.close()
    store.open()

    assert store.load_streams("main") == [(first, "a", "pump/1", 1, b"new"), (second, "b", None, None, None)]
    assert store.load_streams("other") == []


def test_an_alarm_opens_once_rises_and_closes(store: Store) -> None:
    with store.transaction():
        assert store.open_alarm(alarm())
        assert not store.open_alarm(alarm())
        store.raise_peak(1, 1.5, 2000, "level")
        store.raise_peak(1, 3.0, 3000, "level")
        closed = store.close_alarm(1, 4000)
        assert store.close_alarm(1, 5000) is None
    assert closed == alarm()._replace(end=4000, peak_score=3.0, peak_time=3000, peak_channel="level", severity="major")


def test_only_the_newest_dead_letters_are_kept(store: Store, database: Path) -> None:
    letters = [DeadLetter(i, "t", b"x", 1, Reason.SYNTAX, "") for i in range(MOST_DEAD_LETTERS + 5)]
    with store.transaction():
        store.add_dead_letters(letters)
    with closing(sqlite3.connect(database)) as db:
        kept = db.execute("SELECT count(*), min(received) FROM dead_letter").fetchone()
    assert kept == (MOST_DEAD_LETTERS, 5)


def test_large_dead_letters_are_kept_up_to_a_size(
    store: Store, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("MOST_DEAD_BYTES", 100_000), ("_WEIGHED_AFTER", 1)):
        monkeypatch.setattr(f"service.storage.store.{name}", size)
    letters = [DeadLetter(i, "t", b"x" * 30_000, 30_000, Reason.SYNTAX, "") for i in range(5)]
    with store.transaction():
        store.add_dead_letters(letters)
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT received FROM dead_letter").fetchall() == [(2,), (3,), (4,)]


def test_a_relay_reads_its_outbox_in_order(store: Store, database: Path) -> None:
    with store.transaction():
        for body, kind in ((b"1", "alarm"), (b"2", "alarm"), (b"3", "incident")):
            store.post("mqtt", "a", body, kind)
        store.post("webhook", "a", b"4")
        store.db.execute("DELETE FROM outbox WHERE id = 2")
    outbox = OutboxReader(database, "mqtt")
    assert outbox.read(0, 10) == [(1, "a", b"1", "alarm"), (3, "a", b"3", "incident")]
    assert outbox.read(0, 1) == [(1, "a", b"1", "alarm")]
    assert outbox.read(1, 10) == [(3, "a", b"3", "incident")]


def test_the_severity_of_an_alarm_is_that_of_its_peak(store: Store) -> None:
    with store.transaction():
        opened = store.open_alarm(alarm()._replace(peak_score=1.5))
        store.raise_peak(1, 4.0, 2000, "level")
        assert opened is not None
        assert (opened.severity, store.alarm("one").severity) == ("minor", "critical")


def test_an_alarm_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(KeyError, match="none"):
        store.alarm("none")


def test_a_database_of_schema_1_is_brought_up_to_date_with_what_is_in_it(database: Path) -> None:
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as db:
        db.executescript(f"{_SCHEMA} PRAGMA user_version = 1")
        db.execute("INSERT INTO alarm VALUES ('one', 1, 'pump/1', 'flow', 1000, NULL, 2, 9, 1, 0, 2, 5, 1000, 'flow')")
        db.execute("INSERT INTO outbox (sink, stream, body) VALUES ('mqtt', 'a', x'78')")
        db.commit()
    old, new = Store(database), Store(database.with_name("new.db"))
    old.open()
    new.open()

    known = old.alarm("one")
    assert (known.raised, known.told, known.severity, known.incident) == (1000, 1, "critical", None)
    assert OutboxReader(database, "mqtt").read(0, 1) == [OutboxRow(1, "a", b"x", "alarm")]
    tables = "SELECT sql FROM sqlite_schema ORDER BY name"
    assert old.db.execute(tables).fetchall() == new.db.execute(tables).fetchall()
    assert old.db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    old.close()
    new.close()


def test_a_database_of_schema_1_is_brought_up_to_date(database: Path) -> None:
    database.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database)) as db:
        db.executescript(_SCHEMA)
        db.executescript("INSERT INTO stream VALUES (1, 'main', 'a'); PRAGMA user_version = 1;")
        db.execute("INSERT INTO verdict VALUES (10, 1, 'flow', 1, 1, 0, 2, 0.5, 1)")
        db.commit()
    store = Store(database)
    store.open()
    store.close()
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT value, coverage, quality FROM verdict").fetchall() == [(1, 1, 0)]
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_database_of_schema_2_keeps_what_waits_in_its_outbox(database: Path) -> None:
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as db:
        db.executescript(f"{_SCHEMA} {' '.join(_MIGRATIONS[2])} PRAGMA user_version = 2")
        db.execute("INSERT INTO outbox (sink, stream, body, kind) VALUES ('mqtt', 'north', x'78', 'incident')")
        db.commit()
    store = Store(database)
    store.open()
    store.close()
    assert OutboxReader(database, "mqtt").read(0, 1) == [OutboxRow(1, "north", b"x", "incident")]
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert db.execute("SELECT count(*) FROM relay_letter").fetchone() == (0,)


def test_verdicts_of_schema_1_are_told_their_alarm(database: Path) -> None:
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as db:
        db.executescript(_SCHEMA)
        db.execute("INSERT INTO stream VALUES (1, 'main', 'a'), (2, 'main', 'b')")
        verdicts = [(time, stream, "flow", 1, 1, 1, 1, 1, 1) for time in range(100, 160, 10) for stream in (1, 2)]
        db.executemany("INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", verdicts)
        alarms = [("closed", 1, 110, 130), ("open", 1, 150, None), ("other", 2, 100, 110)]
        db.executemany("INSERT INTO alarm VALUES (?, ?, '', '', ?, ?, 2, 0, 0, 0, 0, 2, 0, '')", alarms)
        db.execute("PRAGMA user_version = 1")
        db.commit()
    for _ in range(2):
        store = Store(database)
        store.open()
        store.close()
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        told = db.execute("SELECT stream, time, alarm, place FROM verdict WHERE alarm IS NOT NULL ORDER BY 1, 2")
        assert told.fetchall() == [(1, 110, 110, 0), (1, 120, 110, 0), (1, 150, 150, 0), (2, 100, 100, 0)]


def test_a_verdict_of_schema_2_is_found_by_its_series(database: Path) -> None:
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as db:
        db.executescript(" ".join([_SCHEMA, *_MIGRATIONS[2], "PRAGMA user_version = 2;"]))
        db.execute("INSERT INTO stream VALUES (1, 'main', 'a'), (2, 'main', 'b')")
        rows = [
            (10, 1, "flow", 1.5, 1.25, 1.0, 2.0, 0.5, 1, 1.0, 0, None, 0),
            (10, 1, "heat", None, 1.25, 1.0, 2.0, 0.5, 1, 0.5, 1, None, 1),
            (10, 2, "flow", 1.5, 1.25, 1.0, 2.0, None, 0, 1.0, 0, 10, 0),
            (20, 1, "heat", 1.5, None, None, None, 2.5, 2, 1.0, 0, None, 0),  # its bundle has it first by now
        ]
        db.executemany("INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        db.commit()
        before = db.execute("SELECT * FROM verdict ORDER BY time, stream, channel").fetchall()
    store = Store(database)
    store.open()
    store.close()
    with closing(sqlite3.connect(database)) as db:
        after = db.execute("SELECT * FROM verdict ORDER BY time, stream, channel").fetchall()
        series = db.execute("SELECT stream, channel, place FROM series ORDER BY id").fetchall()
    assert [row[:-1] for row in after] == [row[:-1] for row in before]
    assert series == [(1, "flow", 0), (1, "heat", 0), (2, "flow", 0)]


def test_a_newer_database_is_refused(store: Store, database: Path) -> None:
    store.close()
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match=f"expected a database of schema {SCHEMA_VERSION} or earlier, got 99"):
        Store(database).open()


def test_a_file_that_is_no_database_is_refused(database: Path) -> None:
    database.parent.mkdir()
    database.write_bytes(b"this is not a database" * 100)
    with pytest.raises(ConfigError, match="expected a database that can be written, got: file is not a database"):
        Store(database).open()


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="expected a database that can be written"):
        Store(tmp_path / "file" / "foresense.db").open()


def test_commits_are_on_the_disk_before_they_return(store: Store) -> None:
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.reopen()
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_database_has_one_lock(database: Path) -> None:
    first, second = InstanceLock(database), InstanceLock(database)
    first.acquire()
    with pytest.raises(ConfigError, match="another `foresense serve`"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


@pytest.mark.parametrize(
    ("version", "step"), [(version, step + 1) for version in (0, 1) for step in range(len(_upgrade(version)))]
)
def test_an_upgrade_that_is_killed_midway_has_not_happened_and_is_done_by_the_next(
    version: int, step: int, database: Path
) -> None:
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as db:
        if version:
            db.executescript(_SCHEMA)
            db.executescript("INSERT INTO stream VALUES (1, 'main', 'a'); PRAGMA user_version = 1;")
    opened = f"Store(Path({str(database)!r})).open()"
    program = f"from pathlib import Path; from service.storage.store import Store; {opened}"
    environment = os.environ | {VARIABLE: f"migration:{step}"}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (version,)

    store = Store(database)
    store.open()
    assert store.db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert len(store.load_streams("main")) == version
    store.close()
