"""Slots: one array a stream that grows as its readings come, so that no reading is held twice."""

import numpy as np
from numpy.typing import NDArray

_LEAST = 64  # slots that an array begins with
_GROWTH = 1.5


class Slots:
    """One stream's slots; the first reading of a channel in a slot is the slot's value."""

    def __init__(self, channels: int) -> None:
        self.first = 0  #: number since the epoch of the first slot
        self.count = 0
        self._values = np.empty((0, channels))

    def add(self, slot: NDArray[np.int64], channel: NDArray[np.int16], value: NDArray[np.float64]) -> int:
        """Take readings (n,) in, whose slots never go back, and return how many are the first of their slot."""
        if self.count == 0:
            self.first = int(slot[0])
        self._grow(int(slot[-1]) - self.first + 1)
        cell, earliest = np.unique((slot - self.first) * self._values.shape[1] + channel, return_index=True)
        cells = self._values.reshape(-1)
        new = np.isnan(cells[cell])
        cells[cell[new]] = value[earliest[new]]
        return int(np.count_nonzero(new))

    def close(self) -> NDArray[np.float64]:
        """Return the values (T, C), NaN where nothing came; nothing can be added afterwards."""
        self._values.resize((self.count, self._values.shape[1]), refcheck=False)
        return self._values

    def _grow(self, count: int) -> None:
        room = len(self._values)
        if count > room:
            larger = max(count, int(room * _GROWTH), _LEAST)
            self._values.resize((larger, self._values.shape[1]), refcheck=False)  # in place: never two copies
            self._values[room:] = np.nan
        self.count = max(self.count, count)
