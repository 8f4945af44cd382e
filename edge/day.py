"""The day before: what each channel showed at this time of day, as the least and the greatest value of each bin.

A day of the stream's time zone is cut into bins. A value is compared with yesterday's bin at this time and the two
beside it. The record keeps one day: a bin holds yesterday's until today reaches it; what yesterday's was about the bin
that today is in is kept apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge import across
from edge.calendar import MINUTE_MS, Calendar
from edge.half_precision import held
from edge.state import Records

MOST_BINS = 288  #: five minutes each
SHORTEST_MS, LONGEST_MS = 60_000, 3_600_000  #: intervals of streams whose day is remembered
_DAY_MINUTES = 24 * 60
_NOTHING = np.array(0, np.float32)
_MINUTE_MS, _DAY = np.array(MINUTE_MS), np.array(_DAY_MINUTES)


def bins_of(interval_ms: int) -> int:
    """Return how many bins a day of streams on that interval has: none if it is too short or too long.

    >>> bins_of(60_000), bins_of(3_600_000), bins_of(1000)
    (288, 24, 0)
    """
    if not SHORTEST_MS <= interval_ms <= LONGEST_MS:
        return 0
    return min(MOST_BINS, 24 * 3_600_000 // interval_ms)


@dataclass(frozen=True, slots=True)
class Today:
    """Where in the day the slots of n streams are, and what yesterday showed about that time."""

    bins: NDArray[np.intp]  #: (n,)
    entered: NDArray[np.intp]  #: (m,) rows whose bin is not that of the slot before
    around: NDArray[np.float32]  #: (n, 2, C) yesterday's least and greatest; NaN where it is not known


class Day:
    """Compares values with those of the day before."""

    def __init__(self, bins: int, calendar: Calendar) -> None:
        self._bins = bins
        self._calendar = calendar

    def today(self, time: NDArray[np.int64], records: Records) -> Today:
        """Return where in the day slots are; `time` (n,) is their start, ms."""
        minute = (time // _MINUTE_MS + self._calendar.offset(time)) % _DAY
        bins: NDArray[np.intp] = minute * self._bins // _DAY
        around = records["around"]
        entered = (records["bin"] != bins).nonzero()[0]
        if entered.size:
            around = around.copy()
            around[entered] = self._around(records, entered, bins[entered])
        return Today(bins, entered, around)

    def distance(self, observed: NDArray[np.float32], today: Today) -> NDArray[np.float32]:
        """Return how far scaled values (n, C) lie outside yesterday's (n,).

        That of the channel that lies furthest outside counts. Where yesterday is not known, or nothing came, it is 0.
        """
        around = today.around
        outside = np.maximum(observed - around[:, 1], around[:, 0] - observed)  # NaN where either is not known
        return across.greatest(np.fmax(outside, _NOTHING))

    def remember(self, observed: NDArray[np.float32], today: Today, records: Records, calm: NDArray[np.bool_]) -> None:
        """Take the scaled values (n, C) of the calm rows (n,) into today."""
        day, at = records.home("day")
        if today.entered.size:
            new = today.entered[calm[today.entered]]
            entered = today.bins[new]
            records["around"][new] = today.around[new]
            records["kept"][new] = day[at[new], entered]
            records["bin"][new] = entered
            day[at[new], entered] = np.nan
        rows = calm.nonzero()[0]
        at, now = at[rows], today.bins[rows]
        value = held(observed[rows])
        day[at, now, 0] = np.fmin(day[at, now, 0], value)
        day[at, now, 1] = np.fmax(day[at, now, 1], value)

    def _around(self, records: Records, rows: NDArray[np.intp], bins: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return yesterday's least and greatest (m, 2, C) about the bins (m,) that rows (m,) enter."""
        (day, at), previous = records.home("day"), (bins - 1) % self._bins
        at, just_left = at[rows], (records["bin"][rows] == previous)[:, None, None]
        around: NDArray[np.float32] = np.empty((3, len(rows), *day.shape[2:]), np.float32)
        around[0] = np.where(just_left, records["kept"][rows], day[at, previous])
        around[1] = day[at, bins]
        around[2] = day[at, (bins + 1) % self._bins]
        low, high = np.fmin.reduce(around[:, :, 0]), np.fmax.reduce(around[:, :, 1])
        low[np.isnan(around[1, :, 0])] = np.nan
        around[0, :, 0], around[0, :, 1] = low, high
        told: NDArray[np.float32] = around[0]
        return told
