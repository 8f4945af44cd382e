"""Facts: what the database says of streams that Home Assistant is told, read beside the writer."""

import time
from pathlib import Path
from typing import NamedTuple

from service.alarms.mutes import SELECT, Mute
from service.homeassistant.device import Key
from service.storage.reader import Reader

_ALL_AFTER = 60  # looks, after which the names of streams are read again whether or not there seem to be others


class OpenAlarm(NamedTuple):
    """An alarm that is open and that the world is to know of."""

    id: str
    start: int  #: UTC epoch, ms
    channel: str
    severity: str
    score: float  #: the greatest so far
    explanation: str


class Facts:
    """What the database said when it was looked at last; for one thread."""

    def __init__(self, database: Path) -> None:
        self.streams: frozenset[Key] = frozenset()
        self.alarms: dict[Key, OpenAlarm] = {}
        self.muted: frozenset[Key] = frozenset()
        self._reader = Reader(database)
        self._mark: tuple[int, int | None] = (-1, None)
        self._looks = 0
        self._mutes: list[Mute] = []

    def look(self) -> None:
        """Look again; OSError or sqlite3.Error if that fails."""
        db, before = self._reader.connection(), self.streams
        mark = db.execute("SELECT count(*), max(id) FROM stream").fetchone()
        self._looks += 1
        if mark != self._mark or self._looks % _ALL_AFTER == 0:
            self.streams = frozenset(db.execute("SELECT monitor, name FROM stream").fetchall())
            self._mark = mark
        select = """SELECT monitor, name, alarm.id, "start", channel, severity, peak_score, explanation
            FROM alarm JOIN stream ON stream.id = alarm.stream WHERE "end" IS NULL AND raised IS NOT NULL"""
        self.alarms = {(monitor, name): OpenAlarm(*rest) for monitor, name, *rest in db.execute(select)}
        now = time.time_ns() // 1_000_000
        mutes = [Mute(*row) for row in db.execute(f"{SELECT} WHERE until > ? ORDER BY id", (now,))]
        if mutes != self._mutes or self.streams != before:
            self._mutes = mutes
            self.muted = frozenset(key for key in self.streams if self._is_muted(key))

    def newest_alarm(self, key: Key) -> str | None:
        """Return the id of the newest alarm of a stream that the world was told of, None if there is none."""
        select = """SELECT alarm.id FROM alarm JOIN stream ON stream.id = alarm.stream
            WHERE monitor = ? AND name = ? AND raised IS NOT NULL ORDER BY "start" DESC LIMIT 1"""
        found = self._reader.connection().execute(select, key).fetchone()
        return None if found is None else str(found[0])

    def close(self) -> None:
        """Give the connection back."""
        self._reader.close()

    def _is_muted(self, key: Key) -> bool:
        return any(mute.holds(*key) for mute in self._mutes)
