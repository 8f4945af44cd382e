"""Access to the service's database from beside it, in short transactions; the service may be running."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge.errors import ConfigError, ForesenseError
from service.configuration import read_settings
from service.storage.store import SCHEMA_VERSION

MAGIC = b"SQLite format 3\0"
_BUSY_S = 10.0


class Access:
    """Opens the database for each use; errors tell what is wrong with it."""

    def __init__(self, database: Path) -> None:
        self.database = database

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open the database for one short transaction, undone by any exception."""
        with self.connection() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open the database; ConfigError if it is none of this program, ForesenseError if it cannot be used."""
        if not self.database.exists():
            raise ConfigError(f"{self.database}: expected the database of a service that was started, got none")
        try:
            with closing(sqlite3.connect(self.database, timeout=_BUSY_S, isolation_level=None)) as db:
                version = db.execute("PRAGMA user_version").fetchone()[0]
                if version != SCHEMA_VERSION:
                    hint = (
                        "`foresense serve` brings it up to date" if version < SCHEMA_VERSION else "it is a newer one's"
                    )
                    raise ConfigError(
                        f"{self.database}: expected a database of schema {SCHEMA_VERSION}, got {version}: {hint}"
                    )
                yield db
        except sqlite3.Error as error:
            raise ForesenseError(f"{self.database}: expected a database that can be written, got: {error}") from error


def size_of(database: Path) -> int:
    """Return the bytes that a database takes, with what its write-ahead log has and it has not yet; OSError if none."""
    log = database.with_name(database.name + "-wal")
    return database.stat().st_size + (log.stat().st_size if log.exists() else 0)


def database_of(path: Path) -> Path:
    """Return the database that a path names: itself, or the one of a configuration file."""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return path
    except OSError as error:
        raise ConfigError(f"{path}: expected a configuration or a database, got: {error.strerror}") from error
    return read_settings(path).database
