"""Structure that is left in errors: a good forecaster's are independent of each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.search.evidence import Evidence

LEAST_LAGS, MOST_LAGS = 40, 300
DAY_MS = 86_400_000
_Z = 1.96  #: 95 % of a normal distribution lie within so many deviations


def autocorrelation(residuals: Sequence[NDArray[np.float64]], lags: int) -> tuple[NDArray[np.float64], float]:
    """Return the autocorrelation (lags,) at lags 1, 2, ... and the bound within which 95 % of chance lies.

    The errors (T, C) of each stream are brought to mean 0 and deviation 1, and the products of all are
    averaged: r_k = mean(e_t e_(t-k)) / mean(e_t^2). The bound is 1.96 / sqrt(T summed over the streams); the
    channels of a stream are not counted, since they are seldom independent (Box and Jenkins 1970).
    """
    parts = [_standardised(each) for each in residuals if len(each) > 1]
    power = sum(float((each**2).sum()) for each in parts)
    values = [sum(float((each[lag:] * each[:-lag]).sum()) for each in parts) for lag in range(1, lags + 1)]
    slots = sum(int(np.isfinite(each).any(axis=1).sum()) for each in residuals)
    return np.array(values) / max(power, 1e-30), _Z / float(np.sqrt(max(slots, 1)))


def lags_for(evidence: Evidence) -> int:
    """Return how many lags are worth looking at: a little over a day, if a quarter of a stream is as long."""
    day = DAY_MS // evidence.manifest.interval_ms
    quarter = max(map(len, evidence.residuals)) // 4
    wanted = day + day // 10 if LEAST_LAGS < day <= quarter else LEAST_LAGS
    return max(min(wanted, quarter, MOST_LAGS), 1)


def _standardised(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return errors (T, C) with mean 0 and deviation 1 in each channel, and 0 where one is missing."""
    there = np.isfinite(errors)
    count = np.maximum(there.sum(axis=0), 1)
    centred = np.where(there, errors - np.where(there, errors, 0).sum(axis=0) / count, 0)
    deviation = np.sqrt((centred**2).sum(axis=0) / count)
    result: NDArray[np.float64] = centred / np.where(deviation > 0, deviation, 1)
    return result
