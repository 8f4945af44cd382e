"""Rests: one event is to be told once. Both look back only."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MUTED = 0.1  #: what a score that does not count is multiplied by


def muted_unless_highest(score: NDArray[np.float64], rest: int) -> NDArray[np.float64]:
    """Return scores (T,) of which only those count that exceed all of the `rest` rows before them.

    So whatever threshold is chosen, an event is told when it begins and again only where it grows. The others
    are a tenth of themselves, which keeps them far below any sensible threshold.

    >>> muted_unless_highest(np.array([0.1, 0.8, 0.7, 0.9, 0.2, 0.3]), rest=2).round(2).tolist()
    [0.1, 0.8, 0.07, 0.9, 0.02, 0.03]
    """
    highest = pd.Series(score).shift(1).rolling(rest, min_periods=1).max().to_numpy() if rest else np.nan
    return np.where(score <= highest, MUTED * score, score)


def spaced(marks: NDArray[np.bool_], time: NDArray[np.int64], rest_ms: int) -> NDArray[np.bool_]:
    """Return the marks (T,) without those that come less than `rest_ms` after the last one kept; `time` (T,), ms."""
    kept, free_from = np.zeros(len(marks), bool), np.iinfo(np.int64).min
    for row in np.flatnonzero(marks):
        if time[row] >= free_from:
            kept[row], free_from = True, time[row] + rest_ms
    return kept
