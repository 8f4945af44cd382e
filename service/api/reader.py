"""The reader: read-only connections with the database, one a thread, so that no question holds up the writer."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import local
from time import monotonic
from typing import Any

from service.api.problems import ProblemError, away

_PATIENCE_S = 1.0
_LONGEST_S = 10.0  # that a question may take
_STEPS = 20_000  # of SQLite's, between two looks at the clock
_CACHE_KIB = 8 * 1024

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]


class Reader:
    """Asks the database. A file that has taken the place of the one before, as after damage, is opened anew."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._of_thread = local()

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        """Return what a question is answered with; ProblemError if the database is away or it takes too long."""
        with self.connection() as db:
            return db.execute(sql, values).fetchall()

    def row(self, sql: str, values: Values = ()) -> Row | None:
        """Return the first row of what a question is answered with."""
        with self.connection() as db:
            found: Row | None = db.execute(sql, values).fetchone()
            return found

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend this thread's connection; what it is asked must be done within ten seconds."""
        try:
            db = self._connect()
        except (OSError, sqlite3.Error) as error:
            raise away(error) from error
        until = monotonic() + _LONGEST_S
        db.set_progress_handler(lambda: monotonic() > until, _STEPS)
        try:
            yield db
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise ProblemError(503, "it would take more than 10 s: ask for a shorter time") from error
            raise
        finally:
            db.set_progress_handler(None, 0)

    def _connect(self) -> sqlite3.Connection:
        known = self._of_thread
        found = self._database.stat()
        which = found.st_dev, found.st_ino
        if getattr(known, "which", None) != which:
            if hasattr(known, "db"):
                known.db.close()
            known.which = None
            known.db = sqlite3.connect(f"{self._database.resolve().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)
            known.db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            known.which = which
        db: sqlite3.Connection = known.db
        return db
