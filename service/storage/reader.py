"""A reader: reads the database beside the writer, on a connection of its own."""

import sqlite3
from pathlib import Path


class Reader:
    """Opens the database when it is needed; one that was put aside is followed by the new one. For one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file = -1  # what the connection has open; a database that is put aside is another

    def connection(self) -> sqlite3.Connection:
        """Return the connection, which cannot write; OSError or sqlite3.Error if there is none to be had."""
        file = self._path.stat().st_ino
        if self._connection is None or file != self._file:
            self.close()
            uri = f"{self._path.resolve().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            self._file = file
        return self._connection

    def close(self) -> None:
        """Give the connection back; it is opened again when it is needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
