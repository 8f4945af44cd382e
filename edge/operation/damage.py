"""Damage: whether a database is broken, and where it goes then. A broken one is never written to or deleted."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

_PATIENCE_S = 2.0
_STEPS = 10_000  # of SQLite's, between two looks at the clock
_HEADER = 16
_MAGIC = b"SQLite format 3\0"


def is_damage(error: BaseException | None, database: Path) -> bool:
    """Whether an error says that a database of ours is broken; a file of another kind is not ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        with database.open("rb") as file:
            return file.read(_HEADER) in (_MAGIC, bytes(_HEADER))
    return code == sqlite3.SQLITE_CORRUPT


def look_for(db: sqlite3.Connection) -> None:
    """Check a database as far as that goes within two seconds; sqlite3.DatabaseError if it is broken."""
    until = monotonic() + _PATIENCE_S
    db.set_progress_handler(lambda: monotonic() > until, _STEPS)
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        found = "ok"
    finally:
        db.set_progress_handler(None, 0)
    if found != "ok":
        broken = sqlite3.DatabaseError(f"database disk image is malformed: {' '.join(found.split())}")
        broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise broken


def quarantine(database: Path) -> Path:
    """Give a closed database, with its log, a name that says what it is, and return it."""
    stamp = f".corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    for suffix in ("-wal", "-shm", ""):
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.rename(part.with_name(database.name + stamp + suffix))
    return database.with_name(database.name + stamp)


def quarantined(database: Path) -> list[Path]:
    """Return the broken databases beside one, oldest first."""
    parts = database.parent.glob(f"{database.name}.corrupt-*Z")
    return sorted(parts)
