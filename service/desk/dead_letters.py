"""Dead letters, as operators see them: which there are, what is in one, put back, thrown away."""

import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edge.align import LATEST
from edge.errors import DataError
from service.desk.requests import REPLAY
from service.storage.access import Access

_COLUMNS = "id, received, topic, size, reason, detail, source, length(payload) = size"


class Letter(NamedTuple):
    """A message that was set aside, without its payload."""

    id: int
    received: int  #: UTC epoch, ms
    topic: str
    size: int  #: bytes of its payload
    reason: str
    detail: str
    source: str
    whole: bool  #: whether all of the payload was kept, without which it cannot be put back


@dataclass(frozen=True, slots=True)
class Which:
    """Which dead letters are meant; all that is given must hold."""

    ids: tuple[int, ...] = field(default=())  #: none: any
    reason: str | None = None
    topic: str | None = None  #: a pattern in which * stands for anything
    start_ms: int = 0
    end_ms: int = LATEST

    def where(self) -> tuple[str, list[Any]]:
        """Return the condition in SQL, and its values."""
        where, values = "received >= ? AND received < ?", [self.start_ms, self.end_ms]
        others: list[tuple[str, Any]] = [("reason = ?", self.reason), ("topic GLOB ?", self.topic)]
        for condition, value in others:
            if value is not None:
                where, values = f"{where} AND {condition}", [*values, value]
        if self.ids:
            where += f" AND id IN ({', '.join(map(str, self.ids))})"
        return where, values


class DeadLetters:
    """Reads and writes the dead letters beside the running service."""

    def __init__(self, access: Access, by: str) -> None:
        self._access = access
        self._by = by

    def list(self, which: Which, most: int) -> list[Letter]:
        """Return the newest that are meant, oldest first."""
        where, values = which.where()
        select = f"SELECT {_COLUMNS} FROM dead_letter WHERE {where} ORDER BY id DESC LIMIT ?"  # noqa: S608
        with self._access.connection() as db:
            return [_letter(row) for row in db.execute(select, (*values, most))][::-1]

    def count(self, which: Which) -> dict[str, int]:
        """Return how many are meant, by reason."""
        where, values = which.where()
        select = f"SELECT reason, count(*) FROM dead_letter WHERE {where} GROUP BY reason ORDER BY 2 DESC, 1"  # noqa: S608
        with self._access.connection() as db:
            return dict(db.execute(select, values))

    def show(self, ident: int) -> tuple[Letter, bytes]:
        """Return one, and what was kept of its payload; DataError if it is not there."""
        with self._access.connection() as db:
            row = db.execute(f"SELECT {_COLUMNS}, payload FROM dead_letter WHERE id = ?", (ident,)).fetchone()  # noqa: S608
        if row is None:
            raise DataError(f"{self._access.database}: expected the id of a dead letter, got {ident}")
        return _letter(row[:-1]), row[-1]

    def replay(self, which: Which) -> tuple[int, int]:
        """Ask the service to read those again; return how many, and how many cannot be, as they were not kept whole."""
        where, values = which.where()
        insert = f"""INSERT INTO request (kind, monitor, stream, "by", created) SELECT ?, '', id, ?, ? FROM dead_letter
            WHERE {where} AND length(payload) = size ORDER BY id"""  # noqa: S608
        rest = f"SELECT count(*) FROM dead_letter WHERE {where} AND length(payload) < size"  # noqa: S608
        with self._access.transaction() as db:
            asked = db.execute(insert, (REPLAY, self._by, time.time_ns() // 1_000_000, *values)).rowcount
            return asked, int(db.execute(rest, values).fetchone()[0])

    def purge(self, which: Which) -> int:
        """Throw those away, and return how many."""
        where, values = which.where()
        with self._access.transaction() as db:
            return db.execute(f"DELETE FROM dead_letter WHERE {where}", values).rowcount  # noqa: S608


def escaped(payload: bytes) -> str:
    r"""Return a payload as text that is safe to look at: what cannot be printed is told by its code.

    >>> print(escaped("21.5 °C\x1b[2J".encode() + bytes([255])))
    21.5 °C\x1b[2J\xff
    """
    text = payload.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _letter(row: tuple[Any, ...]) -> Letter:
    return Letter(*row)._replace(whole=bool(row[-1]))
