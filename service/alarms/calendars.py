"""Calendar files (.ics, RFC 5545): the times of their events, in order."""

import time as clock
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar

from edge.errors import ConfigError

MOST_BYTES = 4 * 1024 * 1024
MOST_EVENTS = 5_000
MOST_OCCURRENCES = 200_000  #: of all events together, from the first until a year from now
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=366)
_PATIENCE_S = 10.0
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")

Span = tuple[datetime, datetime]  #: start and end of an occurrence, UTC


class CalendarWindows:
    """The occurrences of a calendar's events, unfolded as far as they have been asked for."""

    def __init__(self, spans: Iterator[Span]) -> None:
        self._spans = spans
        self._starts = [_FIRST]
        self._ends = [_FIRST]  # the latest of all that have begun
        self._next: Span | None = next(spans, None)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def covers(self, time: datetime) -> bool:
        """Whether an occurrence is on at an aware time."""
        while self._next is not None and self._next[0] <= time:
            start, end = self._next
            self._starts.append(start)
            self._ends.append(max(end, self._ends[-1]))
            self._next = next(self._spans, None)
        return self._ends[bisect_right(self._starts, time) - 1] > time


def read_calendar(path: Path, time_zone: str) -> CalendarWindows:
    """Read a calendar file; times without a zone are of `time_zone`. ConfigError if it cannot be used."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ConfigError(f"{path}: expected a calendar file of at most {MOST_BYTES} bytes, got {size}")
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: expected a calendar file (.ics), got: {error.strerror}") from error
    try:
        spans = _spans(data, ZoneInfo(time_zone))
        _prove(spans)
        return CalendarWindows(merge(*(_in_time(each) for each in spans)))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ConfigError(f"{path}: expected a calendar file (.ics) that can be read, got: {said}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


class _Occurrences:
    """The occurrences of one event; each call of iter() unfolds them anew."""

    def __init__(self, event: Any, zone: tzinfo, moved: set[datetime]) -> None:
        begin, end = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
        self._zone = (begin.tzinfo if isinstance(begin, datetime) else None) or zone
        self._begin = _wall(begin)
        self._days: timedelta | None = None  # of an event of whole days, which may have 23 or 25 hours
        if isinstance(begin, datetime):
            last = self._utc(self._begin) if end is None else _instant(end, zone)
            self._length = event["DURATION"].dt if "DURATION" in event else last - self._utc(self._begin)
        else:
            self._length = timedelta()
            self._days = event["DURATION"].dt if "DURATION" in event else (end or begin + timedelta(days=1)) - begin
        self._extra = [_instant(each, zone) for each in _dates(event, "RDATE")]
        self._gone = moved | {_instant(each, zone) for each in _dates(event, "EXDATE")}
        self._read_rule(event)

    def __iter__(self) -> Iterator[Span]:
        for start in merge(islice(self._starts(), self._count), sorted(self._extra)):
            if start not in self._gone:
                yield start, self._end(start)

    def _read_rule(self, event: Any) -> None:
        self._rule: Iterable[datetime] | None = None
        self._count: int | None = None
        self._until = _LAST
        rule: Any = event.get("RRULE")
        if rule is None:
            return
        if isinstance(rule, list):
            raise ConfigError(f"expected one RRULE an event, got {len(rule)}")
        parts: dict[str, Any] = dict(rule)
        frequency = parts["FREQ"][0]
        if frequency not in _FREQUENCIES or int(parts.get("INTERVAL", [1])[0]) < 1:
            said = rule.to_ical().decode()[:80]
            raise ConfigError(f"expected events that recur {', '.join(_FREQUENCIES)}, got {said}")
        if "COUNT" in parts:
            self._count = int(parts.pop("COUNT")[0])
            rule.pop("COUNT")
        if "UNTIL" in parts:
            until = parts["UNTIL"][0]
            last = until if isinstance(until, datetime) else datetime.combine(until, datetime.max.time())
            self._until = min(self._until, _instant(last, self._zone))
            rule.pop("UNTIL")
        self._rule = rrulestr(rule.to_ical().decode(), dtstart=self._begin)

    def _starts(self) -> Iterator[datetime]:
        for wall in [self._begin] if self._rule is None else self._rule:
            start = self._utc(wall)
            if start > self._until or start >= _LAST:
                return
            yield start

    def _end(self, start: datetime) -> datetime:
        if self._days is None:
            return start + self._length
        return self._utc(start.astimezone(self._zone).replace(tzinfo=None) + self._days)

    def _utc(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self._zone).astimezone(UTC)


def _spans(data: bytes, zone: tzinfo) -> list[_Occurrences]:
    """Return the occurrences of each event; an event that replaces one of a series takes its place."""
    events: list[Any] = Calendar.from_ical(data).walk("VEVENT")
    if len(events) > MOST_EVENTS:
        raise ConfigError(f"expected at most {MOST_EVENTS} events, got {len(events)}")
    moved: dict[str, set[datetime]] = {}
    for event in events:
        _check(event)
        if "RECURRENCE-ID" in event:
            moved.setdefault(str(event.get("UID")), set()).add(_instant(event["RECURRENCE-ID"].dt, zone))
    on = [event for event in events if str(event.get("STATUS", "")).upper() != "CANCELLED"]
    return [
        _Occurrences(event, zone, set() if "RECURRENCE-ID" in event else moved.get(str(event.get("UID")), set()))
        for event in on
    ]


def _check(event: Any) -> None:
    name = repr(str(event.get("SUMMARY", event.get("UID", "without a name")))[:60])
    if event.errors:
        field, said = event.errors[0]
        raise ConfigError(f"event {name}: expected {field} as RFC 5545 has it, got: {' '.join(said.split())[:120]}")
    if "DTSTART" not in event:
        raise ConfigError(f"event {name}: expected a DTSTART, got none")
    if "RANGE" in getattr(event.get("RECURRENCE-ID"), "params", {}):
        raise ConfigError(f"event {name}: expected a RECURRENCE-ID of one occurrence, got one with RANGE")
    for field in ("DTSTART", "DTEND"):
        given = event.get(field)
        zone = None if given is None else given.params.get("TZID")
        if zone is not None and isinstance(given.dt, datetime) and given.dt.tzinfo is None:
            raise ConfigError(f"event {name}: expected a time zone that is known, got {zone!r}")
    start = _instant(event["DTSTART"].dt, UTC)
    if not _FIRST <= start < _LAST:
        raise ConfigError(f"event {name}: expected a start from 1970 to 2099, got {start:%Y-%m-%d}")


def _prove(spans: list[_Occurrences]) -> None:
    """Unfold all events until a year from now, so that nobody waits for them later; ConfigError if they are endless."""
    ahead, began, count = datetime.now(UTC) + _AHEAD, clock.monotonic(), 0
    for each in spans:
        for start, _ in each:
            count += 1
            if start > ahead:
                break
            if count > MOST_OCCURRENCES:
                raise ConfigError(f"expected at most {MOST_OCCURRENCES} occurrences until {ahead:%Y}, got more")
        if clock.monotonic() - began > _PATIENCE_S:
            raise ConfigError(f"expected events that can be unfolded within {_PATIENCE_S:g} s, got some that cannot")


def _in_time(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans that are not empty, none before its predecessor, as a change of the clock may have it."""
    newest = _FIRST
    for start, end in spans:
        if end > start:
            newest = max(newest, start)
            yield newest, end


def _dates(event: Any, field: str) -> Iterator[Any]:
    """Yield the starts of a field that may be there several times, each a list."""
    given = event.get(field, [])
    for dates in given if isinstance(given, list) else [given]:
        for each in dates.dts:
            yield each.dt[0] if isinstance(each.dt, tuple) else each.dt


def _wall(time: date) -> datetime:
    """Return a date or a time as the clock on the wall shows it."""
    return time.replace(tzinfo=None) if isinstance(time, datetime) else datetime.combine(time, datetime.min.time())


def _instant(time: date, zone: tzinfo) -> datetime:
    own = time.tzinfo if isinstance(time, datetime) else None
    return _wall(time).replace(tzinfo=own or zone).astimezone(UTC)
