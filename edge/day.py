"""The day before: what each channel showed at this time of day, as the least and the greatest value of each bin.

A day of the stream's time zone is cut into bins. A value is compared with yesterday's bin at this time and the two
beside it. The record keeps one day: a bin holds yesterday's until today reaches it, and the two that today has just
passed or is in are kept apart.
"""

import numpy as np
from numpy.typing import NDArray

from edge.calendar import MINUTE_MS, Calendar
from edge.state import Records

MOST_BINS = 288  #: five minutes each
SHORTEST_MS, LONGEST_MS = 60_000, 3_600_000  #: intervals of streams whose day is remembered
_DAY_MINUTES = 24 * 60
_MOST = 6e4  # what half precision holds


def bins_of(interval_ms: int) -> int:
    """Return how many bins a day of streams on that interval has: none if it is too short or too long.

    >>> bins_of(60_000), bins_of(3_600_000), bins_of(1000)
    (288, 24, 0)
    """
    if not SHORTEST_MS <= interval_ms <= LONGEST_MS:
        return 0
    return min(MOST_BINS, 24 * 3_600_000 // interval_ms)


class Day:
    """Compares values with those of the day before."""

    def __init__(self, bins: int, calendar: Calendar) -> None:
        self._bins = bins
        self._calendar = calendar

    def distance(self, observed: NDArray[np.float32], time: NDArray[np.int64], records: Records) -> NDArray[np.float32]:
        """Return how far scaled values (n, C) lie outside yesterday's (n,), the greatest of any channel.

        `time` (n,) is the slots' start, ms. Where yesterday is not known, or nothing came, it is 0.
        """
        rows, now = np.arange(len(records)), self._bin(time)
        day, kept = records["day"], records["kept"]
        same = records["bin"] == now  # today has been in this bin: yesterday's is kept apart
        here = np.where(same[:, None, None], kept[:, 1], day[rows, now])
        before = np.where(same[:, None, None], kept[:, 0], self._before(records, now))
        after = day[rows, (now + 1) % self._bins]
        around = np.stack([before, here, after]).astype(np.float32)
        low = np.fmin.reduce(around[:, :, 0])
        high = np.fmax.reduce(around[:, :, 1])
        outside: NDArray[np.float32] = np.fmax(observed - high, low - observed)
        outside[np.isnan(around[1, :, 0])] = 0
        distance: NDArray[np.float32] = np.fmax.reduce(outside, axis=1, initial=0)
        return distance

    def remember(
        self, observed: NDArray[np.float32], time: NDArray[np.int64], records: Records, calm: NDArray[np.bool_]
    ) -> None:
        """Take the scaled values (n, C) of the calm rows (n,) into today."""
        rows, now = np.flatnonzero(calm), self._bin(time)[calm]
        entered = records["bin"][rows] != now
        new, bins = rows[entered], now[entered]
        if new.size:
            before = self._before(records, self._bin(time))[new]
            records["kept"][new, 1] = records["day"][new, bins]
            records["kept"][new, 0] = before
            records["day"][new, bins] = np.nan
            records["bin"][new] = bins
        value = observed[rows].clip(-_MOST, _MOST)
        records["day"][rows, now, 0] = np.fmin(records["day"][rows, now, 0], value)
        records["day"][rows, now, 1] = np.fmax(records["day"][rows, now, 1], value)

    def _before(self, records: Records, now: NDArray[np.intp]) -> NDArray[np.float16]:
        """Return yesterday's least and greatest (n, 2, C) in the bin before `now`."""
        previous = (now - 1) % self._bins
        before = records["day"][np.arange(len(records)), previous]
        just_left = (records["bin"] == previous)[:, None, None]
        chosen: NDArray[np.float16] = np.where(just_left, records["kept"][:, 1], before)
        return chosen

    def _bin(self, time: NDArray[np.int64]) -> NDArray[np.intp]:
        minute = (time // MINUTE_MS + self._calendar.offset(time)) % _DAY_MINUTES
        number: NDArray[np.intp] = minute * self._bins // _DAY_MINUTES
        return number
