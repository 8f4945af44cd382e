"""Floors: detectors without a forecaster, which every family must beat behind the same scorers."""

from collections.abc import Callable, Mapping
from math import erfc, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

WINDOW = 6400  #: rows, NAB's own
_LEAST_DEVIATION = 1e-6  # NAB's own, where a window is constant
_LEAST_TAIL = 1e-300

Floor = Callable[[NDArray[np.float64], float], NDArray[np.float64]]  #: values (T, C), alarms a row -> score (T,)


def windowed_gaussian(values: NDArray[np.float64], alarms_per_row: float) -> NDArray[np.float64]:
    """Return scores (T,) of values (T, C): how far out a value lies in the Gaussian of the last 6400 rows before it.

    This is NAB's windowed Gaussian detector (Lavin and Ahmad 2015) with a step of one row. Its tail probability p
    becomes log p / log alarms_per_row, which is 1.0 where a value as far out is as rare as alarms may be; of several
    channels the highest counts. The first rows and missing values score 0.
    """
    past = pd.DataFrame(values).shift(1).rolling(WINDOW, min_periods=1)
    mean, deviation = past.mean().to_numpy(), past.std(ddof=0).to_numpy()
    share = np.abs(values - mean) / np.where(deviation > 0, deviation, _LEAST_DEVIATION)
    tail = np.array([erfc(each / sqrt(2)) / 2 for each in share.flat]).reshape(share.shape)
    score = np.log(np.maximum(tail, _LEAST_TAIL)) / np.log(alarms_per_row)
    highest: NDArray[np.float64] = np.nan_to_num(score, nan=0.0).max(axis=1)
    return highest


FLOORS: Mapping[str, Floor] = {"windowed_gaussian": windowed_gaussian}
