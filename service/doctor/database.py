"""The database: whether a service has it open, and whether it is whole."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic

from service.doctor.finding import Finding, fail, ok, warn
from service.doctor.history import connect
from service.storage.store import SCHEMA_VERSION

_PATIENCE_S = 30.0
_STEPS = 100_000  # of SQLite's machine, between two looks at the clock


def look_at_database(database: Path, held: bool) -> Iterator[Finding]:
    """Look at a database without changing it; `held`: a service has it open."""
    if held:
        yield ok("service", "it is running")
    else:
        yield ok("service", "it is not running")
    if not database.exists():
        yield ok("database", f"{database} is not there yet")
        return
    try:
        with closing(connect(database, held)) as db:
            yield from _look_into(db, database)
    except sqlite3.Error as error:
        yield fail("database", f"{database} cannot be read: {error}", _mend(database))


def _look_into(db: sqlite3.Connection, database: Path) -> Iterator[Finding]:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        yield fail(
            "database",
            f"{database} is of schema {version}, and this program knows {SCHEMA_VERSION}",
            "use the newer foresense that has written it",
        )
    deadline = monotonic() + _PATIENCE_S
    db.set_progress_handler(lambda: monotonic() > deadline, _STEPS)
    try:
        (first, *_) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        said = f"{database} is too large to be looked through within {_PATIENCE_S:g} s"
        yield warn("database", said, f"sqlite3 {database} 'PRAGMA quick_check' does it, however long it takes")
        return
    if first == "ok":
        yield ok("database", f"{database} is whole")
    else:
        yield fail("database", f"{database} is damaged: {' '.join(first.split())}", _mend(database))


def _mend(database: Path) -> str:
    return f"stop the service and put a backup in its place, or save what can be read: sqlite3 {database} .recover"
