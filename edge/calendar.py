"""Calendar inputs: where a slot lies in its local day and week.

A forecaster that is told the time of day and the day of the week knows Mondays. Both are cyclic, so
each is given as a sine and a cosine of the local time.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError

CALENDAR_INPUTS = ("sin_day", "cos_day", "sin_week", "cos_week")
MINUTE_MS = 60_000
_DAY = 24 * 60
_WEEK = 7 * _DAY
_THURSDAY = 3 * _DAY  # 1970-01-01 was a Thursday; weeks here begin on Monday
_ONE_MINUTE, _ONE_WEEK = np.array(MINUTE_MS), np.array(_WEEK)
_FIRST_YEAR, _LAST_YEAR = 1970, 2100


@cache
def _week_table() -> NDArray[np.float32]:
    minute = np.arange(_WEEK)
    day, week = 2 * np.pi * minute / _DAY, 2 * np.pi * minute / _WEEK
    return np.stack([np.sin(day), np.cos(day), np.sin(week), np.cos(week)], axis=1, dtype=np.float32)


def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name; ConfigError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"time zone: expected an IANA name such as 'Europe/Rome', got {name!r}") from error


@cache
def _transitions(name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when the zone's UTC offset changes (epoch ms) and the offsets between (minutes)."""
    place = zone(name)

    def offset(at: datetime) -> int:
        shift = at.astimezone(place).utcoffset()
        return 0 if shift is None else round(shift.total_seconds() / 60)

    at = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    times, offsets = [], [offset(at)]
    while at.year < _LAST_YEAR:
        later = at + timedelta(days=7)
        if offset(later) != offsets[-1]:
            low, high = at, later
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            times.append(round(high.timestamp() / 60) * MINUTE_MS)
            offsets.append(offset(later))
        at = later
    return np.array(times, np.int64), np.array(offsets, np.int64)


class Calendar:
    """Calendar inputs of slots in one time zone, by table look-up on the local minute of the week."""

    def __init__(self, time_zone: str) -> None:
        self._times, self._offsets = _transitions(time_zone)
        self._table = _week_table()

    def inputs(self, time: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the calendar inputs of slots.

        `time` (n,) is UTC epoch milliseconds; the answer is (n, 4), columns as CALENDAR_INPUTS.
        """
        inputs: NDArray[np.float32] = self._table[(time // _ONE_MINUTE + self.offset(time) + _THURSDAY) % _ONE_WEEK]
        return inputs

    def offset(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many minutes the zone is ahead of UTC at times (n,), UTC epoch milliseconds."""
        return self._offsets[self._times.searchsorted(time, side="right")]
