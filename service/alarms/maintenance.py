"""Maintenance windows: times at which an alarm is expected, given by cron or by a calendar file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator, model_validator

from edge.duration import parse_duration
from service.alarms.calendars import CalendarWindows, read_calendar
from service.part import Duration, Part, TimeZone


class MaintenanceSettings(Part):
    """Times at which alarms are expected: from a cron expression on, or while an event of a calendar file is on."""

    cron: str | None = None
    duration: Duration = "1h"  #: cron: how long each window is
    ics: Path | None = None
    time_zone: TimeZone = "UTC"  #: of the cron expression, and of a calendar's times without a zone
    streams: tuple[str, ...] = Field(default=("*",), min_length=1)  #: patterns of names

    @property
    def duration_ms(self) -> int:
        """Return how long each window is."""
        return parse_duration(self.duration)

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with the calendar's path taken from a folder."""
        return self.model_copy(update={"ics": self.ics and folder / self.ics})

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, text: str | None) -> str | None:
        if text is None:
            return None
        wanted = f"expected a cron expression of five fields such as '0 2 * * SUN', got {text!r}"
        if len(text.split()) != 5:
            raise ValueError(wanted)
        try:
            next(CronSim(text, datetime(2000, 1, 1, tzinfo=UTC)))
        except CronSimError as error:
            raise ValueError(f"{wanted}: {error}") from error
        except StopIteration:
            raise ValueError(f"{wanted}, which never comes") from None
        return text

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if (self.cron is None) == (self.ics is None):
            raise ValueError(f"expected either cron or ics, got {'both' if self.cron else 'neither'}")
        if self.ics is not None and "duration" in self.model_fields_set:
            raise ValueError("expected duration only with cron, got it with ics")
        return self


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
