"""Events: which labelled windows were found, by which alarms, and how late."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.backtest.metrics.points import f1
from models.backtest.spans import Spans


@dataclass(frozen=True, slots=True)
class Events:
    """Alarms beside windows: an alarm that overlaps a window is right, and the first of a window finds it.

    Further right alarms that find no other window are repeats, which count neither for nor against.
    """

    right: NDArray[np.bool_]  #: (alarms,)
    repeat: NDArray[np.bool_]  #: (alarms,) right, but the window was found already
    found: NDArray[np.bool_]  #: (windows,)
    delay_ms: NDArray[np.float64]  #: (windows,) from a window's start to its alarm's, at least 0; NaN if not found

    @property
    def false(self) -> int:
        """Return how many alarms overlap no window."""
        return int((~self.right).sum())

    @property
    def precision(self) -> float:
        """Return the share of alarms that are right, repeats left out; NaN if there is none."""
        firsts = int(self.right.sum() - self.repeat.sum())
        return firsts / (firsts + self.false) if firsts + self.false else float("nan")

    @property
    def recall(self) -> float:
        """Return the share of windows that were found; NaN if there is none."""
        return float(self.found.mean()) if len(self.found) else float("nan")

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall; 0 if nothing was found."""
        return f1(self.precision, self.recall)

    @property
    def median_delay_ms(self) -> float:
        """Return the median delay of the windows that were found; NaN if none was."""
        return float(np.median(self.delay_ms[self.found])) if self.found.any() else float("nan")


def match(alarms: Spans, windows: Spans) -> Events:
    """Return which alarms are right and which windows they find."""
    first, stop = alarms.overlapped_by(windows)
    finder, end = windows.overlapped_by(alarms)
    found = finder < end
    finds = np.zeros(len(alarms), bool)
    finds[finder[found]] = True
    delay = np.full(len(windows), np.nan)
    delay[found] = np.maximum(alarms.start[finder[found]] - windows.start[found], 0)
    right = first < stop
    return Events(right, right & ~finds, found, delay)
