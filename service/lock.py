"""The lock: one service a database."""

import fcntl
from pathlib import Path
from typing import TextIO

from edge.errors import ConfigError


class InstanceLock:
    """An exclusive lock file beside the database; it goes with the process, however that ends."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".lock")
        self._file: TextIO | None = None

    def acquire(self) -> None:
        """Take the lock; ConfigError if another process has it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("a")
        except OSError as error:
            raise ConfigError(f"{self._path}: expected a file that can be written, got: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise ConfigError(
                f"{self._database}: expected a database of this service alone, got one that another "
                "`foresense serve` has open; stop that one or give this one its own database and client_id"
            ) from error
        self._file = file

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def is_held(database: Path) -> bool:
    """Whether a service has a database open, as far as we may look."""
    try:
        with database.with_name(database.name + ".lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False
    except OSError:
        return False
