"""The locks: one process a database, and one a name at a broker."""

import errno
import fcntl
import socket
import time
from hashlib import sha256
from pathlib import Path
from typing import TextIO

from edge.errors import ConfigError

_PATIENCE_S = 0.3  # somebody may just be looking whether it is locked
_PAUSE_S = 0.02


class InstanceLock:
    """An exclusive lock file beside the database; it goes with the process, however that ends."""

    def __init__(self, database: Path, command: str = "foresense serve") -> None:
        self._command = command
        self._database = database
        self._path = _beside(database)
        self._file: TextIO | None = None

    def acquire(self) -> None:
        """Take the lock; ConfigError if another process has it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("a")
        except OSError as error:
            raise ConfigError(f"{self._path}: expected a file that can be written, got: {error.strerror}") from error
        if not _lock(file, fcntl.LOCK_EX, _PATIENCE_S):
            file.close()
            raise ConfigError(
                f"{self._database}: expected a database of this process alone, got one that another "
                f"`{self._command}` has open; stop that one or give this one its own database and client_id"
            )
        self._file = file

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def is_held(database: Path) -> bool:
    """Whether a process has a database open, as far as we may look."""
    try:
        with _beside(database).open() as file:
            return not _lock(file, fcntl.LOCK_SH, 0)
    except OSError:
        return False


def _beside(database: Path) -> Path:
    return database.with_name(database.name + ".lock")


def _lock(file: TextIO, kind: int, patience_s: float) -> bool:
    """Take a lock within some time, and return whether it was to be had."""
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE_S)
        else:
            return True


class NameLock:
    """Holds the name of a session at a broker, as far as processes on this host go; it goes with the process.

    It is a socket in the abstract namespace: no file, and the same for all who may write to different folders.
    """

    def __init__(self, broker: str, client_id: str, command: str = "foresense serve") -> None:
        self._command = command
        self._broker = broker
        self._client_id = client_id
        self._socket: socket.socket | None = None

    def acquire(self) -> None:
        """Take the name; ConfigError if another process on this host has it."""
        name = sha256(f"{self._broker} {self._client_id}".encode()).hexdigest()
        held = socket.socket(socket.AF_UNIX)
        try:
            held.bind(f"\0foresense-{name}")
        except OSError as error:
            held.close()
            if error.errno != errno.EADDRINUSE:
                raise
            raise ConfigError(
                f"client_id {self._client_id} at {self._broker}: expected a name of this process alone, got one that "
                f"another `{self._command}` on this host has: they would take the session from each other for ever; "
                "give each its own client_id"
            ) from error
        self._socket = held

    def release(self) -> None:
        """Give the name back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
