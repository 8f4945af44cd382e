"""The store: everything that must outlive the process, in one SQLite file with one writer."""

import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from edge.errors import ConfigError
from edge.messages.alarm import Alarm, severity
from edge.operation.damage import is_damage, look_for, quarantine
from edge.operation.failpoint import reach
from edge.payloads.rejects import Reason
from service.storage.schema import (
    ANNOUNCED,
    DEAD_LETTERS,
    HOURS,
    NOTIFIED,
    OPERATIONS,
    OPERATORS,
    QUALITY,
    RELAYS,
    SERIES,
    STANDING,
    SUBSCRIPTIONS,
    VERDICTS,
)

log = logging.getLogger(__name__)

SCHEMA_VERSION = 5
MOST_DEAD_LETTERS = 10_000
MOST_DEAD_BYTES = 256 * 1024 * 1024  #: of their payloads
CACHE_KIB = 32 * 1024  #: of the database's pages; the states of 10,000 streams fit
_PAGE_BYTES = 16 * 1024  # holds several records of streams; of one that is new, others keep what they have
_CHECKPOINT_PAGES = 1000  # of the log, which take a disk some tenths of a second
_BUSY_S = 1.0  # the writer tries again by itself, and must be able to end in time
_WEIGHED_AFTER = 16 * 1024 * 1024  # bytes of payloads added, after which they are summed up again

_SCHEMA = """
CREATE TABLE stream (id INTEGER PRIMARY KEY, monitor TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (monitor, name));
CREATE TABLE state (
    stream INTEGER PRIMARY KEY REFERENCES stream, bundle TEXT NOT NULL, layout INTEGER NOT NULL, record BLOB NOT NULL);
CREATE TABLE verdict (
    time INTEGER NOT NULL, stream INTEGER NOT NULL REFERENCES stream, channel TEXT NOT NULL,
    value REAL, expected REAL, lower REAL, upper REAL, score REAL, status INTEGER NOT NULL,
    PRIMARY KEY (time, stream, channel)) WITHOUT ROWID;
CREATE TABLE alarm (
    id TEXT PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream, bundle TEXT NOT NULL, channel TEXT NOT NULL,
    "start" INTEGER NOT NULL, "end" INTEGER, score REAL NOT NULL,
    value REAL, expected REAL, lower REAL, upper REAL,
    peak_score REAL NOT NULL, peak_time INTEGER NOT NULL, peak_channel TEXT NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX alarm_open ON alarm (stream) WHERE "end" IS NULL;
CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY, received INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    size INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL);
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, stream TEXT NOT NULL, body BLOB NOT NULL);
"""

_MIGRATIONS = {  #: version -> what makes it from the one before
    2: (OPERATIONS, QUALITY, VERDICTS),
    3: (DEAD_LETTERS, STANDING, RELAYS, SERIES, HOURS),
    4: (SUBSCRIPTIONS, ANNOUNCED, OPERATORS),
    5: (NOTIFIED,),
}

_TOO_HEAVY = """DELETE FROM dead_letter WHERE id <= (
    SELECT max(id) FROM (SELECT id, sum(length(payload)) OVER (ORDER BY id DESC) AS total FROM dead_letter)
    WHERE total > ?)"""

StateRow = tuple[int, str, int, bytes]


class SavedStream(NamedTuple):
    """A stream that the database knows, and its state if it has one."""

    id: int
    name: str
    bundle: str | None
    layout: int | None
    record: bytes | None


class DeadLetter(NamedTuple):
    """A message that was set aside."""

    received: int  #: UTC epoch, ms
    topic: str
    payload: bytes  #: whole, unless it is larger than any that is read; then its beginning
    size: int  #: bytes of the whole payload
    reason: Reason
    detail: str
    source: str = ""  #: name of the broker it came from


class Store:
    """Writes the database; only one thread at a time may use it. Times are UTC epoch milliseconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._unweighed = 0  # bytes of dead letters added since they were summed up

    def open(self) -> None:
        """Open the database, and create it if it is not there; ConfigError if it is none of ours.

        One that is broken is put aside, and a new one begun.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open()
            except sqlite3.DatabaseError as error:
                if not is_damage(error, self._path):
                    raise
                self.quarantine(error)
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise ConfigError(f"{self._path}: expected a database that can be written, got: {error}") from error

    def quarantine(self, error: sqlite3.Error) -> None:
        """Put the database aside, which is broken, and begin a new one; OSError or sqlite3.Error if that fails."""
        self.close()
        aside = quarantine(self._path)
        log.critical(
            "%s: %s; it is kept as %s, and a new one begun: all streams begin anew, and history, mutes, labels and "
            "alarms not yet told are in the old one only", self._path, error, aside.name,
        )  # fmt: skip
        self._open()
        # a relay has read the old outbox up to a number that the new one must begin beyond
        self._db.execute("INSERT INTO sqlite_sequence VALUES ('outbox', ?)", (time.time_ns() // 1_000_000,))

    def _open(self) -> None:
        db = self._connect()
        self._connection = db
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            self.close()
            raise ConfigError(
                f"{self._path}: expected a database of schema {SCHEMA_VERSION} or earlier, got {version}: "
                "a newer foresense has written it"
            )
        db.execute("PRAGMA journal_mode = WAL")
        look_for(db)
        if version < SCHEMA_VERSION:
            db.create_function("reach", 1, reach)
            steps = "".join(f"{step} SELECT reach('migration');" for step in _upgrade(version))
            db.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        db.execute("PRAGMA schema_version").fetchone()  # has it read: a cache is measured by the page size known so far
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        return db

    def close(self) -> None:
        """Close the database; what is not committed is undone."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def reopen(self) -> None:
        """Begin anew with a fresh connection; sqlite3.Error if that fails."""
        self.close()
        self._connection = self._connect()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: commit at the end of the block, roll back on any exception."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            reach("before-commit")
            self._db.execute("COMMIT")
            reach("after-commit")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def add_streams(self, monitor: str, names: Sequence[str]) -> list[int]:
        """Give new streams of a monitor their ids."""
        insert = "INSERT INTO stream (monitor, name) VALUES (?, ?) RETURNING id"
        return [self._db.execute(insert, (monitor, name)).fetchone()[0] for name in names]

    def load_streams(self, monitor: str) -> list[SavedStream]:
        """Return the streams of a monitor, oldest first."""
        select = """SELECT id, name, bundle, layout, record FROM stream LEFT JOIN state ON state.stream = stream.id
            WHERE monitor = ? ORDER BY id"""
        return [SavedStream(*row) for row in self._db.execute(select, (monitor,))]

    def save_states(self, rows: Iterable[StateRow]) -> None:
        """Replace the state records of streams."""
        self._db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)", rows)

    def open_alarm(self, alarm: Alarm) -> Alarm | None:
        """Store an alarm that has just opened, and return it as it is stored; None if it is not new."""
        marks = ", ".join("?" * len(alarm))
        insert = f"INSERT OR IGNORE INTO alarm VALUES ({marks}) RETURNING *"  # noqa: S608
        row = self._db.execute(insert, alarm).fetchone()
        return Alarm(*row) if row else None

    def raise_peak(self, stream: int, score: float, time: int, channel: str) -> None:
        """Keep the greatest score of a stream's open alarm."""
        self._db.execute(
            """UPDATE alarm SET peak_score = ?, peak_time = ?, peak_channel = ?, severity = ?
            WHERE stream = ? AND "end" IS NULL AND peak_score < ?""",
            (score, time, channel, severity(score), stream, score),
        )

    def close_alarm(self, stream: int, end: int | None = None) -> Alarm | None:
        """End a stream's open alarm, at its peak if no time is given, and return it; None if there is none."""
        update = """UPDATE alarm SET "end" = coalesce(?, peak_time) WHERE stream = ? AND "end" IS NULL RETURNING *"""
        row = self._db.execute(update, (end, stream)).fetchone()
        return Alarm(*row) if row else None

    def raise_alarm(self, stream: int, time: int) -> Alarm | None:
        """Have the world know, since a time, of a stream's open alarm that was held; return it, if there is one."""
        update = 'UPDATE alarm SET raised = ? WHERE stream = ? AND "end" IS NULL AND raised IS NULL RETURNING *'
        row = self._db.execute(update, (time, stream)).fetchone()
        return Alarm(*row) if row else None

    def alarm(self, ident: str) -> Alarm:
        """Return an alarm as it is stored; KeyError if there is none."""
        row = self._db.execute("SELECT * FROM alarm WHERE id = ?", (ident,)).fetchone()
        if row is None:
            raise KeyError(ident)
        return Alarm(*row)

    def mark_told(self, ident: str) -> None:
        """Note that an alarm has a message of its own."""
        self._db.execute("UPDATE alarm SET told = 1 WHERE id = ?", (ident,))

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Set messages aside, and forget the oldest beyond what is kept."""
        insert = """INSERT INTO dead_letter (received, topic, payload, size, reason, detail, source)
            VALUES (?, ?, ?, ?, ?, ?, ?)"""
        self._db.executemany(insert, letters)
        oldest = "DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?"
        self._db.execute(oldest, (MOST_DEAD_LETTERS,))
        self._unweighed += sum(len(letter.payload) for letter in letters)
        if self._unweighed >= _WEIGHED_AFTER:
            self._unweighed = 0
            self._db.execute(_TOO_HEAVY, (MOST_DEAD_BYTES,))

    def save_standing(self, body: bytes) -> None:
        """Keep what the service says of itself."""
        self._db.execute("INSERT OR REPLACE INTO standing VALUES (1, ?)", (body,))

    def post(self, sink: str, stream: str, body: bytes, kind: str = "alarm") -> int:
        """Put something of a stream, or of a site, into the outbox of a relay, and return the number of its row."""
        insert = "INSERT INTO outbox (sink, stream, body, kind) VALUES (?, ?, ?, ?)"
        return self._db.execute(insert, (sink, stream, body, kind)).lastrowid or 0

    @property
    def path(self) -> Path:
        """Return where the database is."""
        return self._path

    @property
    def db(self) -> sqlite3.Connection:
        """Return the open connection, for those who keep tables of their own; to be used within a transaction."""
        return self._db

    def version(self) -> int:
        """Return a number that changes whenever another process has written; it is the connection's own."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the database is not open")
        return self._connection


def _upgrade(version: int) -> list[str]:
    """Return the statements that make the newest schema of a version, 0 of nothing."""
    steps = [_SCHEMA] if version == 0 else []
    return steps + [step for number in range(max(version, 1) + 1, SCHEMA_VERSION + 1) for step in _MIGRATIONS[number]]
