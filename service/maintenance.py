"""Maintenance windows: times at which an alarm is expected, given by cron or by a calendar file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from cronsim import CronSim

from service.calendars import CalendarWindows, read_calendar
from service.settings import MaintenanceSettings


class CronWindows:
    """A window of a fixed duration begins at each time that a cron expression names on the clock of a time zone."""

    def __init__(self, expression: str, duration_ms: int, time_zone: str) -> None:
        self._expression = expression
        self._duration = timedelta(milliseconds=duration_ms)
        self._zone = ZoneInfo(time_zone)
        self._known = (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

    def covers(self, time: datetime) -> bool:
        """Whether a window is on at an aware time: one began within the duration before it."""
        since = time - self._duration
        asked, first = self._known
        if not asked <= since < first:
            first = next(CronSim(self._expression, since.astimezone(self._zone))).astimezone(UTC)
            self._known = (since, first)
        return first <= time


@dataclass(frozen=True, slots=True)
class _Entry:
    """One item of `maintenance:`, and for which streams it holds."""

    reason: str
    windows: CronWindows | CalendarWindows
    patterns: tuple[str, ...]


class Maintenance:
    """Says of a stream and a time whether it is maintained; the same whenever it is asked."""

    def __init__(self, settings: Sequence[MaintenanceSettings], beside: "Maintenance | None" = None) -> None:
        """Read the calendars; ConfigError if one of them cannot be. What is `beside` holds as well."""
        self._entries: list[_Entry] = [*(beside._entries if beside else ()), *map(_entry, settings)]

    def reason(self, stream: str, time_ms: int) -> str | None:
        """Return why alarms of a stream are expected at a time (UTC epoch, ms), or None."""
        time = datetime.fromtimestamp(time_ms / 1000, UTC)
        for entry in self._entries:
            if any(fnmatchcase(stream, pattern) for pattern in entry.patterns) and entry.windows.covers(time):
                return entry.reason
        return None


def _entry(settings: MaintenanceSettings) -> _Entry:
    windows: CronWindows | CalendarWindows
    if settings.ics is not None:
        windows, what = read_calendar(settings.ics, settings.time_zone), settings.ics.name
    else:
        windows = CronWindows(settings.cron or "", settings.duration_ms, settings.time_zone)
        what = f"{settings.cron} for {settings.duration}"
    return _Entry(f"maintenance: {what}", windows, settings.streams)
