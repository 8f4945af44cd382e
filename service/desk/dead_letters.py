"""Dead letters, as operators see them: which there are, what is in one, put back, thrown away.

They are the messages that could not be read, and what a sink's server would not take.
"""

import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edge.align import LATEST
from edge.errors import DataError
from service.desk.requests import REPLAY, RESEND
from service.relays.letters import REFUSED
from service.storage.access import Access

_COLUMNS = "id, received, topic, size, reason, detail, source, sink, whole"
#: messages that could not be read, and what sinks have refused, whose ids begin with the name of the sink
_LETTERS = f"""(
    SELECT CAST(id AS TEXT) AS id, id AS number, received, topic, size, reason, detail, source, '' AS sink,
        length(payload) = size AS whole FROM dead_letter
    UNION ALL
    SELECT sink || ':' || id, id, refused, iif(stream = '', kind, stream || '/' || kind), length(body), '{REFUSED}',
        reason, '', sink, 1 FROM relay_letter)"""  # noqa: S608


class Letter(NamedTuple):
    """What was set aside, without its payload: a message that could not be read, or what a sink has refused."""

    id: str  #: a number, or SINK:NUMBER
    received: int  #: or refused; UTC epoch, ms
    topic: str  #: or what it tells of: STREAM/alarm, SITE/incident, verdict
    size: int  #: bytes of its payload
    reason: str
    detail: str  #: of what a sink has refused, the server's answer
    source: str  #: name of the broker it came from
    sink: str  #: that has refused it; '' of a message
    whole: bool  #: whether all of the payload was kept, without which it cannot be put back


@dataclass(frozen=True, slots=True)
class Which:
    """Which dead letters are meant; all that is given must hold."""

    ids: tuple[str, ...] = field(default=())  #: none: any
    reason: str | None = None
    sink: str | None = None  #: only what this one has refused
    topic: str | None = None  #: a pattern in which * stands for anything
    start_ms: int = 0
    end_ms: int = LATEST

    def where(self) -> tuple[str, list[Any]]:
        """Return the condition in SQL, and its values."""
        where = "received >= ? AND received < ?"
        values: list[Any] = [self.start_ms, self.end_ms]
        others: list[tuple[str, Any]] = [
            ("reason = ?", self.reason),
            ("sink = ?", self.sink),
            ("topic GLOB ?", self.topic),
        ]
        for condition, value in others:
            if value is not None:
                where, values = f"{where} AND {condition}", [*values, value]
        if self.ids:
            where, values = f"{where} AND id IN ({', '.join('?' * len(self.ids))})", [*values, *self.ids]
        return where, values


class DeadLetters:
    """Reads the dead letters and has something done with them, beside the running service."""

    def __init__(self, access: Access, by: str) -> None:
        self._access = access
        self._by = by

    def list(self, which: Which, most: int) -> list[Letter]:
        """Return the newest that are meant, oldest first."""
        where, values = which.where()
        select = f"SELECT {_COLUMNS} FROM {_LETTERS} WHERE {where} ORDER BY received DESC, number DESC LIMIT ?"  # noqa: S608
        with self._access.connection() as db:
            return [_letter(row) for row in db.execute(select, (*values, most))][::-1]

    def count(self, which: Which) -> dict[str, int]:
        """Return how many are meant, by reason."""
        where, values = which.where()
        select = f"SELECT reason, count(*) FROM {_LETTERS} WHERE {where} GROUP BY reason ORDER BY 2 DESC, 1"  # noqa: S608
        with self._access.connection() as db:
            return dict(db.execute(select, values))

    def show(self, ident: str) -> tuple[Letter, bytes]:
        """Return one, and what was kept of its payload; DataError if it is not there."""
        with self._access.connection() as db:
            row = db.execute(f"SELECT {_COLUMNS}, number FROM {_LETTERS} WHERE id = ?", (ident,)).fetchone()  # noqa: S608
            if row is None:
                raise DataError(f"{self._access.database}: expected the id of a dead letter, got {ident!r}")
            letter = _letter(row[:-1])
            payload = "SELECT body FROM relay_letter" if letter.sink else "SELECT payload FROM dead_letter"
            return letter, db.execute(f"{payload} WHERE id = ?", row[-1:]).fetchone()[0]

    def replay(self, which: Which) -> tuple[int, int]:
        """Ask the service to try those again; return how many, and how many cannot be, as they were not kept whole."""
        where, values = which.where()
        insert = f"""INSERT INTO request (kind, monitor, stream, "by", created)
            SELECT iif(sink = '', ?, ?), '', number, ?, ? FROM {_LETTERS} WHERE {where} AND whole ORDER BY number"""  # noqa: S608
        rest = f"SELECT count(*) FROM {_LETTERS} WHERE {where} AND NOT whole"  # noqa: S608
        with self._access.transaction() as db:
            asked = db.execute(insert, (REPLAY, RESEND, self._by, time.time_ns() // 1_000_000, *values)).rowcount
            return asked, int(db.execute(rest, values).fetchone()[0])

    def purge(self, which: Which) -> int:
        """Throw those away, with what is asked of them, and return how many."""
        where, values = which.where()
        thrown = 0
        with self._access.transaction() as db:
            for table, kind, are_its in (("dead_letter", REPLAY, "sink = ''"), ("relay_letter", RESEND, "sink != ''")):
                its = f"SELECT number FROM {_LETTERS} WHERE {where} AND {are_its}"  # noqa: S608
                thrown += db.execute(f"DELETE FROM {table} WHERE id IN ({its})", values).rowcount  # noqa: S608
                gone = f"CAST(stream AS INTEGER) NOT IN (SELECT id FROM {table})"  # noqa: S608
                db.execute(f"DELETE FROM request WHERE kind = ? AND {gone}", (kind,))  # noqa: S608
        return thrown


def escaped(payload: bytes) -> str:
    r"""Return a payload as text that is safe to look at: what cannot be printed is told by its code.

    >>> print(escaped("21.5 °C\x1b[2J".encode() + bytes([255])))
    21.5 °C\x1b[2J\xff
    """
    text = payload.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _letter(row: tuple[Any, ...]) -> Letter:
    return Letter(*row)._replace(whole=bool(row[-1]))
