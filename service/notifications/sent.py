"""What was sent of late: kept in the database, so that a restart in a flood of alarms does not begin to count anew."""

import logging
from datetime import datetime

from edge.errors import ForesenseError
from service.storage.access import Access

log = logging.getLogger(__name__)

_HOUR_MS = 3_600_000


class Sent:
    """The times of one receiver's messages, in short transactions beside the writer; an error is logged.

    To tell of an alarm is worth more than to count it.
    """

    def __init__(self, access: Access, receiver: str) -> None:
        self._access = access
        self._receiver = receiver

    def ages_s(self, now: datetime) -> list[float]:
        """Return how long before an aware time the messages of the last hour were sent, the oldest first."""
        now_ms = _ms(now)
        select = "SELECT time FROM notified WHERE receiver = ? AND time BETWEEN ? AND ? ORDER BY time"
        try:
            with self._access.connection() as db:
                found = db.execute(select, (self._receiver, now_ms - _HOUR_MS, now_ms))
                return [(now_ms - time) / 1000 for (time,) in found]
        except ForesenseError as error:
            log.warning("%s: what was sent before this start is not counted: %s", self._receiver, error)
            return []

    def add(self, now: datetime) -> None:
        """Note that a message is sent, and forget those of more than an hour ago."""
        now_ms = _ms(now)
        try:
            with self._access.transaction() as db:
                db.execute("DELETE FROM notified WHERE time NOT BETWEEN ? AND ?", (now_ms - _HOUR_MS, now_ms))
                db.execute("INSERT INTO notified VALUES (?, ?)", (self._receiver, now_ms))
        except ForesenseError as error:
            log.warning("%s: a message that was sent is counted until the next start only: %s", self._receiver, error)


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)
