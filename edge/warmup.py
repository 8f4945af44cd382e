"""Warm-up: what watches a stream while its scale is learnt.

The baseline expects the last value. Its error is measured in the running mean of what successive values differ by,
once LEAST_SLOTS have been seen, and it is sure only of what comes right after the value before. The slots stay
LEARNING: the score tells how odd a value looks, and opens an alarm only from BAR on.
"""

import numpy as np
from numpy.typing import NDArray

from edge.quality import LEAST_SLOTS
from edge.state import NEVER, Records

BAR = 3.0  #: score from which a stream that is still learnt raises an alarm

_LN10 = float(np.log(10))


class Baseline:
    """Expects the last values, in the band that a limit allows errors of an exponential tail; 1.0 is the limit."""

    def expect(
        self, slot: NDArray[np.int64], records: Records, limit: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the expected values and half-widths of their bands (n, C), in units, NaN where nothing is known.

        `limit` is in decades of surprise.
        """
        knows = (records["watched"] >= LEAST_SLOTS)[:, None] & (records["heard"] != NEVER) & (records["pace"] > 0)
        knows &= (slot == records["last_slot"] + 1)[:, None]
        half = limit * _LN10 * records["pace"].astype(np.float64)
        return np.where(knows, records["held"], np.nan), np.where(knows, half, np.nan)
