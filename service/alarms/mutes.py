"""Mutes: an operator wants to hear nothing of some streams until a time."""

import time
from fnmatch import fnmatchcase
from typing import NamedTuple

from service.storage.store import Store


class Mute(NamedTuple):
    """What is muted, until when (UTC epoch, ms), why, by whom, and since when."""

    id: int
    monitor: str
    stream: str  #: a pattern of names
    until: int
    reason: str
    by: str
    created: int

    def holds(self, monitor: str, stream: str) -> bool:
        """Whether it is about a stream."""
        return self.monitor == monitor and fnmatchcase(stream, self.stream)


SELECT = 'SELECT id, monitor, stream, until, reason, "by", created FROM mute'


class Mutes:
    """Says of a stream and a time whether it is muted, as the database last had it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._mutes: list[Mute] = []

    def load(self) -> None:
        """Read the mutes anew, within a transaction."""
        self._mutes = [Mute(*row) for row in self._store.db.execute(f"{SELECT} ORDER BY id")]

    def reason(self, monitor: str, stream: str, time_ms: int) -> str | None:
        """Return why alarms of a stream are muted at a time (UTC epoch, ms), or None.

        A mute in force holds for whatever comes of the time before its end; one that has run out holds for what
        still comes of the time between.
        """
        now = time.time_ns() // 1_000_000
        for mute in self._mutes:
            if not mute.holds(monitor, stream):
                continue
            if time_ms < mute.until and (mute.until > now or time_ms >= mute.created):
                return f"muted by {mute.by}" + (f": {mute.reason}" if mute.reason else "")
        return None
