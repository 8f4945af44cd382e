"""Turns: rows in which a series begins to behave otherwise, by its short against its long run of errors."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.benchmark.outcome import Outcome

SHORT, LONG = 5, 100  #: rows
LEAST = 0.4  #: difference of the mean logarithms: errors half as great again, or two thirds as great
QUIET = 0.05  #: of the band; errors below it count as this
NEAR = 60  #: rows after an alarm in which it may still turn


def turns(outcome: Outcome) -> NDArray[np.bool_]:
    """Return the rows (T,) in or soon after an alarm whose last SHORT errors are unlike the LONG ones before them.

    It is causal: a row is marked by what it and the rows before it say.
    """
    size = pd.Series(np.log(np.fmax(outcome.error, 0) + QUIET))
    short, long = size.rolling(SHORT).mean(), size.rolling(LONG, min_periods=LONG // 2).mean().shift(SHORT)
    alarmed = pd.Series(outcome.alarm.astype(float)).rolling(NEAR, min_periods=1).max() > 0
    turned: NDArray[np.bool_] = (((short - long).abs() > LEAST) & alarmed).to_numpy()
    return turned
