"""The outbox: what was committed and is yet to be told to the world, as its relays read it."""

import sqlite3
from pathlib import Path
from typing import NamedTuple


class OutboxRow(NamedTuple):
    """Something to be told to the world."""

    id: int
    stream: str  #: or site
    body: bytes
    kind: str = "alarm"  #: or "incident"; the last level of its topic


class OutboxReader:
    """Reads one relay's outbox beside the writer, on a connection and in a thread of its own."""

    def __init__(self, path: Path, sink: str) -> None:
        self._path = path
        self._sink = sink

    def read(self, after: int, most: int) -> list[OutboxRow]:
        """Return the oldest rows with an id greater than `after`; sqlite3.Error if that fails."""
        select = "SELECT id, stream, body, kind FROM outbox WHERE sink = ? AND id > ? ORDER BY id LIMIT ?"
        db = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            return [OutboxRow(*row) for row in db.execute(select, (self._sink, after, most))]
        finally:
            db.close()
