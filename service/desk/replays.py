"""Replays: dead letters that operators put back, read again as if they came now, at the time they first came."""

from edge.inbox import Message
from service.desk.requests import REPLAY
from service.storage.store import Store

MOST_MESSAGES = 500  #: a transaction
MOST_BYTES = 16 * 1024 * 1024
_NOBODY = -1  # the connection of a message that nobody waits to have acknowledged

_ASKED = """SELECT DISTINCT letter.id, topic, payload, received, source
    FROM request JOIN dead_letter AS letter ON letter.id = CAST(request.stream AS INTEGER)
    WHERE kind = ? ORDER BY letter.id LIMIT ?"""


class Replays:
    """Takes the dead letters that are asked for out of the database, some at a time. Works within a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.pending = False  #: whether more may be asked for

    def look(self) -> None:
        """Find out whether any are asked for."""
        db = self._store.db
        self.pending = db.execute("SELECT 1 FROM request WHERE kind = ? LIMIT 1", (REPLAY,)).fetchone() is not None

    def take(self) -> list[Message]:
        """Return the oldest that are asked for, and forget them; one that fails again is set aside anew."""
        if not self.pending:
            return []
        db = self._store.db
        messages: list[Message] = []
        taken: list[tuple[int]] = []
        size = 0
        for letter, topic, payload, received, source in db.execute(_ASKED, (REPLAY, MOST_MESSAGES)):
            size += len(payload)
            if size > MOST_BYTES and messages:
                break
            messages.append(Message(_NOBODY, 0, 0, topic, payload, False, received, source))
            taken.append((letter,))
        if not messages:  # what is asked for beyond is gone
            db.execute("DELETE FROM request WHERE kind = ?", (REPLAY,))
            self.pending = False
        db.executemany(f"DELETE FROM request WHERE kind = '{REPLAY}' AND stream = ?", taken)  # noqa: S608
        db.executemany("DELETE FROM dead_letter WHERE id = ?", taken)
        return messages
