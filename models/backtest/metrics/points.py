"""Points: every slot counts by itself, and one found slot of a window does not find the rest of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Points:
    """Slots told to be anomalous beside slots labelled so."""

    precision: float  #: NaN if no slot was told
    recall: float  #: NaN if no slot is labelled
    f1: float


def score_points(told: NDArray[np.bool_], labelled: NDArray[np.bool_]) -> Points:
    """Return what is right of the slots told (n,), beside the labelled ones (n,)."""
    both = int((told & labelled).sum())
    precision = both / int(told.sum()) if told.any() else float("nan")
    recall = both / int(labelled.sum()) if labelled.any() else float("nan")
    return Points(precision, recall, f1(precision, recall))


def f1(precision: float, recall: float) -> float:
    """Return the harmonic mean of precision and recall; 0 where one is 0 or nothing was told, NaN without labels.

    >>> f1(0.5, 1.0)
    0.6666666666666666
    """
    if np.isnan(recall):
        return float("nan")
    return 2 * precision * recall / (precision + recall) if precision > 0 and recall > 0 else 0.0
