"""Slots: one array a stream that grows as its readings come, so that no reading is held twice."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.aggregate import Aggregator, rates
from edge.manifest import Channel
from edge.state import NEVER

_LEAST = 64  # slots that an array begins with
_GROWTH = 1.5


class Slots:
    """One stream's slots, filled as the engine fills them: by each channel's aggregate, counters as rates."""

    def __init__(self, channels: Sequence[Channel], interval_ms: int) -> None:
        self.first = 0  #: number since the epoch of the first slot
        self.count = 0
        self._interval_ms = interval_ms
        self._aggregator = Aggregator(channels)
        self._counter = [channel.counter for channel in channels]
        self._values = np.empty((0, len(channels)))
        self._counts = np.empty((0, len(channels)), np.uint32)
        self._last_time = np.full(len(channels), NEVER)
        self._last_total = np.zeros(len(channels))

    def add(self, time: NDArray[np.int64], channel: NDArray[np.int16], value: NDArray[np.float64]) -> int:
        """Take readings (n,) in, whose times (ms) never go back, and return how many of them count."""
        if self.count == 0:
            self.first = int(time[0]) // self._interval_ms
        self._grow(int(time[-1]) // self._interval_ms - self.first + 1)
        used = 0
        for each in np.unique(channel).tolist():
            at = np.flatnonzero(channel == each)
            used += self._add_channel(each, time[at], value[at])
        return used

    def _add_channel(self, each: int, time: NDArray[np.int64], value: NDArray[np.float64]) -> int:
        newer = time > np.concatenate([self._last_time[each : each + 1], time[:-1]])
        time, value = time[newer], value[newer]
        if len(time) == 0:
            return 0
        if self._counter[each]:
            last_time, last_total = (
                np.full(len(time), self._last_time[each]),
                np.full(len(time), self._last_total[each]),
            )
            self._last_total[each] = value[-1]
            value, _ = rates(np.zeros(len(time), np.int64), time, value, last_time, last_total)
        self._last_time[each] = time[-1]
        cell = (time // self._interval_ms - self.first) * self._values.shape[1] + each
        channel, values = np.full(len(cell), each, np.int16), self._values.reshape(-1)
        used = self._aggregator.used(values, cell, channel)
        self._aggregator.fold(values, self._counts.reshape(-1), cell, channel, value)
        return used

    def close(self) -> NDArray[np.float64]:
        """Return the values (T, C), NaN where nothing came; nothing can be added afterwards."""
        return self._aggregator.settled(self._values[: self.count], self._counts[: self.count])

    def _grow(self, count: int) -> None:
        room = len(self._values)
        if count > room:
            larger = max(count, int(room * _GROWTH), _LEAST)
            for array in (self._values, self._counts):  # in place: never two copies
                array.resize((larger, array.shape[1]), refcheck=False)
            self._values[room:] = np.nan
        self.count = max(self.count, count)
