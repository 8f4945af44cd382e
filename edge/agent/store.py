"""The store: what must outlive the process, in one SQLite file that is written seldom."""

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from edge.errors import ConfigError
from edge.messages.alarm import Alarm
from edge.operation.damage import is_damage, look_for, quarantine
from edge.operation.failpoint import reach

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
_BUSY_S = 5.0
_CACHE_KIB = 512
_SCHEMA = """
CREATE TABLE state (
    monitor TEXT NOT NULL, stream TEXT NOT NULL, bundle TEXT NOT NULL, layout INTEGER NOT NULL, record BLOB NOT NULL,
    UNIQUE (monitor, stream));
CREATE TABLE alarm (monitor TEXT NOT NULL, stream TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (monitor, stream));
CREATE TABLE outbox (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, count INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE proven (seal TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE place (source TEXT PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;
"""

Key = tuple[str, str]  #: monitor and stream
StateRow = tuple[str, str, str, int, bytes]  #: monitor, stream, bundle, layout, record


class SavedState(NamedTuple):
    """A stream's record as it is stored."""

    bundle: str
    layout: int
    record: bytes


class Row(NamedTuple):
    """Something of the outbox."""

    id: int
    kind: str
    messages: int  #: in it
    body: bytes


class Store:
    """Reads and writes the database; the main thread's alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open the database, a new one if there is none; a broken one is put aside. ConfigError if that cannot be."""
        try:
            self._open()
        except sqlite3.Error as error:
            self.close()
            if not is_damage(error, self._path):
                raise ConfigError(f"{self._path}: expected a database that can be used, got: {error}") from error
            broken = str(error)
        else:
            return
        log.error("%s is broken (%s); it is kept as %s", self._path, broken, quarantine(self._path))
        self._open()

    def close(self) -> None:
        """Give the database back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is done within, all or nothing."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            reach("before-commit")
            db.execute("COMMIT")
            reach("after-commit")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    @staticmethod
    def look(path: Path) -> tuple[int, int, int, int]:
        """Return streams, open alarms, and rows and bytes of the outbox, of a database that another may have open."""
        select = """SELECT (SELECT count(*) FROM state), (SELECT count(*) FROM alarm), count(*),
            coalesce(sum(length(body)), 0) FROM outbox"""
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            found: tuple[int, int, int, int] = db.execute(select).fetchone()
        return found

    def states(self, monitor: str) -> dict[str, SavedState]:
        """Return the states of a monitor's streams, by name, in the order in which they were first seen."""
        select = "SELECT stream, bundle, layout, record FROM state WHERE monitor = ? ORDER BY rowid"
        return {stream: SavedState(*rest) for stream, *rest in self._db.execute(select, (monitor,))}

    def save_states(self, rows: Iterable[StateRow]) -> None:
        """Replace the states of streams."""
        self._db.executemany(
            """INSERT INTO state VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
            SET bundle = excluded.bundle, layout = excluded.layout, record = excluded.record""",
            rows,
        )

    def alarms(self) -> dict[Key, Alarm]:
        """Return the open alarms."""
        found = self._db.execute("SELECT monitor, stream, body FROM alarm")
        return {(monitor, stream): Alarm(*json.loads(body)) for monitor, stream, body in found}

    def save_alarms(self, alarms: Iterable[tuple[Key, Alarm | None]]) -> None:
        """Replace the open alarms of streams; None: there is none any more."""
        for key, alarm in alarms:
            if alarm is None:
                self._db.execute("DELETE FROM alarm WHERE monitor = ? AND stream = ?", key)
            else:
                insert = "INSERT INTO alarm VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
                self._db.execute(insert, (*key, json.dumps(alarm)))

    def places(self) -> dict[str, int]:
        """Return where files are read on."""
        return dict(self._db.execute("SELECT source, place FROM place"))

    def save_places(self, places: Iterable[tuple[str, int]]) -> None:
        """Remember where files are read on."""
        self._db.executemany("INSERT OR REPLACE INTO place VALUES (?, ?)", places)

    def is_proven(self, seal: str) -> bool:
        """Whether a bundle has given its golden verdicts here."""
        return self._db.execute("SELECT 1 FROM proven WHERE seal = ?", (seal,)).fetchone() is not None

    def save_proven(self, seals: Iterable[str]) -> None:
        """Remember which bundles, and no others, have given their golden verdicts here."""
        self._db.execute("DELETE FROM proven")
        self._db.executemany("INSERT OR IGNORE INTO proven VALUES (?)", [(seal,) for seal in seals])

    def outbox(self) -> tuple[int, int, int]:
        """Return the greatest id, how many rows there are, and the bytes of their bodies."""
        greatest, count, size = self._db.execute("SELECT max(id), count(*), sum(length(body)) FROM outbox").fetchone()
        return greatest or 0, count, size or 0

    def rows(self, after: int, most: int) -> list[Row]:
        """Return the oldest rows of the outbox whose id is greater than `after`."""
        select = "SELECT id, kind, count, body FROM outbox WHERE id > ? ORDER BY id LIMIT ?"
        return list(map(Row._make, self._db.execute(select, (after, most))))

    def post(self, rows: Iterable[Row]) -> None:
        """Put rows into the outbox."""
        self._db.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?)", rows)

    def delete(self, ids: Sequence[int]) -> list[int]:
        """Take rows out of the outbox, and return the bytes of the bodies of those that were there."""
        sizes: list[int] = []
        for each in ids:
            found = self._db.execute("DELETE FROM outbox WHERE id = ? RETURNING length(body)", (each,))
            sizes += [size for (size,) in found.fetchall()]
        return sizes

    def oldest(self, kind: str) -> Row | None:
        """Return the oldest row of a kind."""
        select = "SELECT id, kind, count, body FROM outbox WHERE kind = ? ORDER BY id LIMIT 1"
        found = self._db.execute(select, (kind,)).fetchone()
        return Row(*found) if found else None

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        self._connection = db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise ConfigError(f"{self._path}: expected schema {SCHEMA_VERSION} or earlier, got {version}")
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT")
        else:
            look_for(db)

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("the store is not open")
        return self._connection
