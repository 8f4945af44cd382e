"""The desk: what operators write into the database beside the running service, and read from it."""

import time
from difflib import get_close_matches
from pathlib import Path

from edge.duration import duration_text
from edge.errors import DataError
from edge.limits import Budget
from service.alarms.mutes import SELECT, Mute
from service.desk.requests import ACCEPT
from service.storage.access import Access

_LONGEST_MS = 10 * 365 * 86_400_000  # of a mute


class Desk:
    """Writes mutes, requests and labels, each in a short transaction; the writer looks for them every second."""

    def __init__(self, database: Path, by: str) -> None:
        self._access = Access(database)
        self._by = by

    def streams(self, monitor: str) -> list[str]:
        """Return the names of a monitor's streams, oldest first."""
        with self._access.connection() as db:
            return [name for (name,) in db.execute("SELECT name FROM stream WHERE monitor = ? ORDER BY id", (monitor,))]

    def mute(self, monitor: str, pattern: str, duration_ms: int, reason: str) -> Mute:
        """Mute streams from now on, for ten years at most, and return the mute; DataError if it is longer."""
        if duration_ms > _LONGEST_MS:
            raise DataError(f"duration: expected at most 10 years, got {duration_text(duration_ms)}")
        now = _now_ms()
        insert = """INSERT INTO mute (monitor, stream, until, reason, "by", created) VALUES (?, ?, ?, ?, ?, ?)
            RETURNING id, monitor, stream, until, reason, "by", created"""
        with self._access.transaction() as db:
            db.execute("DELETE FROM mute WHERE monitor = ? AND stream = ? AND until > ?", (monitor, pattern, now))
            values = (monitor, pattern, now + duration_ms, reason, self._by, now)
            return Mute(*db.execute(insert, values).fetchone())

    def unmute(self, monitor: str, pattern: str) -> None:
        """Take back the mutes of just this pattern; DataError if none is in force."""
        delete = "DELETE FROM mute WHERE monitor = ? AND stream = ? AND until > ?"
        with self._access.transaction() as db:
            if not db.execute(delete, (monitor, pattern, _now_ms())).rowcount:
                held = [f"{one}/{other}" for one, other in db.execute("SELECT monitor, stream FROM mute")]
                raise DataError(_unknown(f"a mute of {monitor}/{pattern} in force", f"{monitor}/{pattern}", held))

    def mutes(self) -> list[Mute]:
        """Return the mutes in force, the next to end first."""
        with self._access.connection() as db:
            return [Mute(*row) for row in db.execute(f"{SELECT} WHERE until > ? ORDER BY until", (_now_ms(),))]

    def accept(self, monitor: str, stream: str) -> None:
        """Ask the service to take the level of a stream in alarm as the new normal; DataError if it is not in alarm."""
        names = self.streams(monitor)
        if stream not in names:
            raise DataError(_unknown(f"a stream of monitor {monitor}", stream, names))
        select = """SELECT name FROM alarm JOIN stream ON stream.id = alarm.stream
            WHERE "end" IS NULL AND monitor = ? ORDER BY "start" DESC"""
        with self._access.connection() as db:
            in_alarm = [name for (name,) in db.execute(select, (monitor,))]
        if stream not in in_alarm:
            raise DataError(_unknown(f"a stream of monitor {monitor} with an open alarm", stream, in_alarm))
        insert = 'INSERT INTO request (kind, monitor, stream, "by", created) VALUES (?, ?, ?, ?, ?)'
        with self._access.transaction() as db:
            db.execute(insert, (ACCEPT, monitor, stream, self._by, _now_ms()))

    def label(self, alarm: str, is_false: bool, note: str) -> str:
        """Store whether an alarm was a false one, in place of what was stored; return MONITOR/STREAM it is of."""
        select = "SELECT monitor, name FROM alarm JOIN stream ON stream.id = alarm.stream WHERE alarm.id = ?"
        with self._access.transaction() as db:
            found = db.execute(select, (alarm,)).fetchone()
            if found is None:
                raise DataError(f"{self._access.database}: expected the id of an alarm, got {alarm!r}")
            insert = "INSERT OR REPLACE INTO label VALUES (?, ?, ?, ?, ?)"
            db.execute(insert, (alarm, is_false, note, self._by, _now_ms()))
        return "/".join(found)

    def acknowledge(self, alarm: str, note: str) -> None:
        """Note that somebody has taken an alarm on; DataError if there is no such alarm."""
        with self._access.transaction() as db:
            if db.execute("SELECT 1 FROM alarm WHERE id = ?", (alarm,)).fetchone() is None:
                raise DataError(f"expected the id of an alarm, got {alarm!r}")
            insert = "INSERT OR REPLACE INTO acknowledgement VALUES (?, ?, ?, ?)"
            db.execute(insert, (alarm, note, self._by, _now_ms()))

    def set_budget(self, monitor: str, budget: Budget | None) -> None:
        """Set what is in force in place of a monitor's configured budget; None: nothing."""
        with self._access.transaction() as db:
            db.execute("DELETE FROM budget WHERE monitor = ?", (monitor,))
            if budget is not None:
                insert = "INSERT INTO budget VALUES (?, ?, ?, ?)"
                db.execute(insert, (monitor, str(budget), self._by, _now_ms()))


def _unknown(what: str, got: str, known: list[str]) -> str:
    nearest = get_close_matches(got, known, 1, 0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join(known[:10]) or 'none'}"
    return f"expected {what}, got {got!r}; {hint}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
