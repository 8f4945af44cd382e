"""The day before: what each channel showed at this time of day, as the least and the greatest value of each bin.

A day of the stream's time zone is cut into bins. A value is compared with yesterday's bin at this time and the two
beside it. The record keeps one day: a bin holds yesterday's until today reaches it; what yesterday's was about the bin
that today is in is kept apart.
"""

import numpy as np
from numpy.typing import NDArray

from edge import across
from edge.calendar import MINUTE_MS, Calendar
from edge.state import Records

MOST_BINS = 288  #: five minutes each
SHORTEST_MS, LONGEST_MS = 60_000, 3_600_000  #: intervals of streams whose day is remembered
_DAY_MINUTES = 24 * 60
_MOST = np.array(6e4, np.float32)  # what half precision holds
_LEAST, _NOTHING = np.array(-6e4, np.float32), np.array(0, np.float32)
_MINUTE_MS, _DAY = np.array(MINUTE_MS), np.array(_DAY_MINUTES)


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

    def bins(self, time: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the bins (n,) that slots are in; `time` (n,) is their start, ms."""
        minute = (time // _MINUTE_MS + self._calendar.offset(time)) % _DAY
        number: NDArray[np.intp] = minute * self._bins // _DAY
        return number

    def distance(self, observed: NDArray[np.float32], bins: NDArray[np.intp], records: Records) -> NDArray[np.float32]:
        """Return how far scaled values (n, C) of slots in bins (n,) lie outside yesterday's (n,).

        That of the channel that lies furthest outside counts. Where yesterday is not known, or nothing came, it is 0.
        """
        around = records["around"]
        entered = (records["bin"] != bins).nonzero()[0]
        if entered.size:
            around = around.copy()
            around[entered] = self._around(records, entered, bins[entered])
        outside = np.maximum(observed - around[:, 1], around[:, 0] - observed)  # NaN where either is not known
        return across.greatest(np.fmax(outside, _NOTHING))

    def remember(
        self, observed: NDArray[np.float32], bins: NDArray[np.intp], records: Records, calm: NDArray[np.bool_]
    ) -> None:
        """Take the scaled values (n, C) of the calm rows (n,) into today."""
        rows = calm.nonzero()[0]
        now = bins[rows]
        day, at = records.home("day")
        new = rows[records["bin"][rows] != now]
        if new.size:
            entered = bins[new]
            records["around"][new] = self._around(records, new, entered)
            records["kept"][new] = day[at[new], entered]
            records["bin"][new] = entered
            day[at[new], entered] = np.nan
        value, at = np.minimum(np.maximum(observed[rows], _LEAST), _MOST), at[rows]
        day[at, now, 0] = np.fmin(day[at, now, 0], value)
        day[at, now, 1] = np.fmax(day[at, now, 1], value)

    def _around(self, records: Records, rows: NDArray[np.intp], bins: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return yesterday's least and greatest (m, 2, C) about the bins (m,) that rows (m,) enter."""
        (day, at), previous = records.home("day"), (bins - 1) % self._bins
        at, just_left = at[rows], (records["bin"][rows] == previous)[:, None, None]
        before = np.where(just_left, records["kept"][rows], day[at, previous])
        around = np.stack([before, day[at, bins], day[at, (bins + 1) % self._bins]]).astype(np.float32)
        low, high = np.fmin.reduce(around[:, :, 0]), np.fmax.reduce(around[:, :, 1])
        low[np.isnan(around[1, :, 0])] = np.nan
        return np.stack([low, high], axis=1)
