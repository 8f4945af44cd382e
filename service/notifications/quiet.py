"""Quiet hours, and how many messages an hour are bearable."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from service.notifications.settings import QuietSettings

_HOUR_S = 3600.0


class Quiet:
    """Says whether a time is within the quiet hours, which may begin on the day before."""

    def __init__(self, settings: QuietSettings | None, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)
        self._hours: tuple[time, time] | None = None
        self._critical_passes = True
        if settings is not None:
            self._hours = time.fromisoformat(settings.begin), time.fromisoformat(settings.end)
            self._critical_passes = settings.critical

    def holds(self, severity: str, now: datetime) -> bool:
        """Whether nobody is to be told at an aware time of something so severe."""
        if self._hours is None or (severity == "critical" and self._critical_passes):
            return False
        begin, end = self._hours
        clock = now.astimezone(self._zone).time()
        return begin <= clock < end if begin < end else clock >= begin or clock < end


class Allowance:
    """So many messages an hour, whichever hour."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sent: deque[float] = deque()

    def resume(self, ages_s: Iterable[float], now_s: float) -> None:
        """Count what was sent so long before a time (monotonic, s), the oldest first."""
        self._sent.extend(now_s - age_s for age_s in ages_s)

    def room(self, now_s: float) -> int:
        """Return how many messages may be sent at a time (monotonic, s)."""
        while self._sent and now_s - self._sent[0] >= _HOUR_S:
            self._sent.popleft()
        return self._most - len(self._sent)

    def use(self, now_s: float) -> None:
        """Note that one is sent."""
        self._sent.append(now_s)
