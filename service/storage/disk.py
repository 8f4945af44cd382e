"""The disk: what is done when it is full, so that the service goes on, and when there is room again."""

import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from time import monotonic

log = logging.getLogger(__name__)

_LOOK_S = 5.0
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE)


def is_full(error: sqlite3.Error) -> bool:
    """Whether the database refuses because there is no room for it."""
    return getattr(error, "sqlite_errorcode", None) in _FULL


class Disk:
    """Keeps a ballast file beside the database, which is given up when the disk is full.

    What it took is then enough for states, alarms and what they bring, which hardly grow; verdicts are not stored
    until there is room for the ballast again.
    """

    def __init__(self, database: Path, ballast_bytes: int) -> None:
        self._path = database.with_name(database.name + ".ballast")
        self._size = ballast_bytes
        self._looked = 0.0
        self.is_tight = False  #: whether verdicts are to be left out

    def start(self) -> None:
        """Make the ballast, if there is room for it."""
        if not self._make():
            log.warning("%s: no room for a ballast of %d bytes: a full disk will hold the service up",
                        self._path, self._size)  # fmt: skip

    def filled(self) -> None:
        """Give the ballast up, as the database had no room."""
        if not self.is_tight:
            log.error("the disk is full: verdicts are not stored until there is room; alarms and states are")
        self.is_tight = True
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def look(self) -> None:
        """Find out every few seconds whether there is room again."""
        if not self.is_tight or monotonic() - self._looked < _LOOK_S:
            return
        self._looked = monotonic()
        if self._make():
            self.is_tight = False
            log.warning("there is room on the disk again: verdicts are stored")

    def _make(self) -> bool:
        """Have the ballast there, and return whether it is; as much room as it takes must be left besides."""
        if self._path.exists():
            if self._path.stat().st_size == self._size:
                return True
            self._path.unlink()  # made with another setting
        try:
            space = os.statvfs(self._path.parent)
            if space.f_bavail * space.f_frsize < 2 * self._size:
                return False
            with self._path.open("wb") as file:
                if self._size:
                    os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError as error:
            log.warning("%s: the ballast cannot be made: %s", self._path, error.strerror)
            self._path.unlink(missing_ok=True)
            return False
        return True
