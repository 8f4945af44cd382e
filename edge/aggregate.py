"""Aggregates: how the readings of a channel within one slot become its value.

The engine and the making of training data fold their readings with this same code.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.across import all_set
from edge.manifest import Channel
from edge.state import NEVER


class Aggregator:
    """Folds readings, in order of time, into cells; a cell is one channel of one slot."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._kind = np.array([channel.aggregate for channel in channels])
        self._kinds = sorted(set(self._kind.tolist()))
        self._mean = self._kind == "mean"
        self._has_mean = bool(self._mean.any())
        #: whether a slot is settled as soon as each channel has a value
        self.eager = self._kinds == ["first"]

    def fold(
        self,
        value: NDArray[np.float64],
        count: NDArray[np.uint32],
        cell: NDArray[np.intp],
        channel: NDArray[np.int16],
        new: NDArray[np.float64],
    ) -> None:
        """Take readings (n,) into the flat cells `value` (NaN where empty) and `count`, in place.

        One reading after another, so that the outcome does not depend on how they were cut into batches. A
        reading that is NaN says nothing.
        """
        there = np.isfinite(new)
        if not all_set(there):
            cell, channel, new = cell[there], channel[there], new[there]
        if self.eager:
            self._fold_kind("first", value, count, cell, new)
            return
        kind = self._kind[channel]
        for each in self._kinds:
            chosen = kind == each
            self._fold_kind(each, value, count, cell[chosen], new[chosen])

    @staticmethod
    def _fold_kind(
        kind: str,
        value: NDArray[np.float64],
        count: NDArray[np.uint32],
        cell: NDArray[np.intp],
        new: NDArray[np.float64],
    ) -> None:
        if kind == "first":
            empty = np.isnan(value[cell])
            value[cell[empty][::-1]] = new[empty][::-1]
        elif kind == "last":
            value[cell] = new
        elif kind == "min":
            np.fmin.at(value, cell, new)
        elif kind == "max":
            np.fmax.at(value, cell, new)
        else:
            value[cell] = np.nan_to_num(value[cell])
            np.add.at(value, cell, new)
            np.add.at(count, cell, 1)

    def settled(self, value: NDArray[np.float64], count: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Return the values of slots that are closed (..., C); what was folded is left as it is."""
        if not self._has_mean:
            return value.copy()
        return np.where(self._mean, value / np.maximum(count, 1), value)

    def used(self, value: NDArray[np.float64], cell: NDArray[np.intp], channel: NDArray[np.int16]) -> int:
        """Return how many of readings (n,) would count if they were folded: of the first in a cell only one does."""
        first = self._kind[channel] == "first"
        empty = cell[first & np.isnan(value[cell])]
        return len(np.unique(empty)) + int(np.count_nonzero(~first))


def fills(before: NDArray[np.float64], cell: NDArray[np.intp], new: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which readings (n,), in order of time, find their cell empty; `before` (n,) is what the cell had already."""
    order = np.argsort(cell, kind="stable")
    there = np.isfinite(new[order])
    earlier = np.cumsum(there) - there
    begins = np.concatenate([[True], np.diff(cell[order]) > 0])[: len(cell)]
    first = np.maximum.accumulate(np.where(begins, earlier, 0))
    empty = np.isnan(before)
    empty[order] &= earlier == first
    return empty


def rates(
    lane: NDArray[np.int64],
    time: NDArray[np.int64],
    total: NDArray[np.float64],
    last_time: NDArray[np.int64],
    last_total: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return what running totals (n,) grew by each second since the reading before, and where one was reset.

    Readings of one lane (a channel of a stream) are neighbours, in order of time; `last_time` (n,), NEVER where
    there was none, and `last_total` (n,) are of the newest reading before these. A total that falls has begun
    again at zero. The first total of a lane has no rate: NaN.
    """
    begins = np.concatenate([[True], lane[1:] != lane[:-1]])[: len(lane)]
    before_time = np.where(begins, last_time, np.roll(time, 1))
    before = np.where(begins, last_total, np.roll(total, 1))
    known = before_time != NEVER
    reset = known & (total < before)
    elapsed_s = np.where(known, time - before_time, 1000) / 1000
    return np.where(known, (total - np.where(reset, 0.0, before)) / elapsed_s, np.nan), reset
