"""The latest time of each device, carried from one block of rows to the next."""

import numpy as np
from numpy.typing import NDArray

from edge.state import NEVER


class Latest:
    """Knows of each device the latest time it has told so far."""

    def __init__(self) -> None:
        self._latest = np.zeros(0, np.int64)

    def take(self, device: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Take rows in and return the latest time each row's device had told before it (n,); NEVER if none.

        `device` (n,) numbers the devices from 0; `time` (n,) is in milliseconds.
        """
        before = np.empty(len(time), np.int64)
        if len(time) == 0:
            return before
        room = int(device.max()) + 1 - len(self._latest)
        self._latest = np.concatenate([self._latest, np.full(max(room, 0), NEVER)])
        order = np.argsort(device, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(device[order])) + 1):
            which = device[rows[0]]
            latest = np.maximum.accumulate(np.concatenate([self._latest[which : which + 1], time[rows]]))
            before[rows], self._latest[which] = latest[:-1], latest[-1]
        return before
