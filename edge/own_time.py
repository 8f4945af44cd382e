"""The streams' own time: that of their newest reading, and what has elapsed since it came."""

import numpy as np
from numpy.typing import NDArray

from edge.state import NEVER, StateTable


class OwnTime:
    """Remembers, by row, when the newest readings came. Times told to it are of the clock of attention, ms."""

    def __init__(self) -> None:
        self._newest = np.zeros(0, np.int64)  # by row, event time, ms; 0 where nothing came since the start
        self._heard_ms = np.zeros(0, np.int64)  # monotonic

    def __len__(self) -> int:
        return len(self._newest)

    def hear(self, table: StateTable, now_ms: int, rows: NDArray[np.int32] | None = None) -> None:
        """Look for newer readings of rows, of all streams if none are told, which came now."""
        known = len(self._newest)
        if rows is not None and known == len(table):
            newest = table.field("newest", rows)
            self._heard_ms[rows[newest > self._newest[rows]]] = now_ms
            self._newest[rows] = np.maximum(self._newest[rows], newest)
            return
        newest = table.field("newest", np.arange(len(table), dtype=np.int32))
        if not known:  # what a restart brought back did not come now
            self._newest, self._heard_ms = np.where(newest == NEVER, 0, newest), np.full(len(newest), now_ms)
        self._newest = np.concatenate([self._newest, np.zeros(len(newest) - len(self._newest), np.int64)])
        self._heard_ms = np.concatenate([self._heard_ms, np.full(len(newest) - len(self._heard_ms), now_ms)])
        self._heard_ms[newest > self._newest] = now_ms
        self._newest = np.maximum(self._newest, newest)

    def at(self, now_ms: int) -> NDArray[np.int64]:
        """Return the streams' own time (streams,), ms; 0 of one of which nothing was heard."""
        return np.where(self._newest > 0, self._newest + np.maximum(now_ms - self._heard_ms, 0), 0)
