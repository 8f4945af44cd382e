"""NAB: the score of the Numenta Anomaly Benchmark, version 1.1.

Lavin and Ahmad, "Evaluating Real-Time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark", ICMLA 2015. A
row at or above the threshold is a detection. With the scaled sigmoid s(y) = 2 / (1 + exp(5 y)) - 1, which is -1
beyond y = 3,

    within a window      the earliest detection counts tp * s(y) / s(-1); y runs from -1 at its first row to 0
    in a missed window   -fn
    outside              fp * s(y) each; y is 0 at the end of the window before and 1 one window's width later;
                         before the first window fp * -1

The first 15 % of a stream's rows, at most 750, are a probation in which nothing counts. The sum over all streams is
brought to 0 for a detector that says nothing and 100 for a perfect one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PROBATION, MOST_PROBATION = 0.15, 750
_BEYOND = 3.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What each kind of detection is worth."""

    name: str
    tp: float
    fn: float
    fp: float


STANDARD = Profile("standard", 1.0, 1.0, 0.11)
PROFILES = (STANDARD, Profile("low_fp_rate", 1.0, 1.0, 0.22), Profile("low_fn_rate", 1.0, 2.0, 0.11))


@dataclass(frozen=True, slots=True)
class Scored:
    """The rows of one stream after its probation, and how many windows all of it has."""

    score: NDArray[np.float64]  #: (n,)
    window: NDArray[np.intp]  #: (n,) number of the row's window; -1 outside
    value: NDArray[np.float64]  #: (n,) of a detection, without the profile's weight
    windows: int


@dataclass(frozen=True, slots=True)
class Nab:
    """A score and the threshold it is for; infinite for one that nothing reaches."""

    score: float  #: NaN without windows
    threshold: float


def rows_of(score: NDArray[np.floating], windows: NDArray[np.intp]) -> Scored:
    """Return what each row of a stream's scores (n,) is worth.

    `windows` (w, 2) are the first row and the row after the last of each, in order and apart.
    """
    row = np.arange(len(score))
    window, value = np.full(len(score), -1, np.intp), np.full(len(score), -1.0)
    for number, (first, stop) in enumerate(windows):
        width = stop - first
        window[first:stop] = number
        value[first:stop] = sigmoid((row[first:stop] - stop) / width) / sigmoid(np.array(-1.0))
        with np.errstate(divide="ignore"):  # a window of one row: nothing after it is near it
            value[stop:] = sigmoid((row[stop:] - stop + 1) / np.float64(width - 1))
    kept = slice(min(int(PROBATION * len(score)), MOST_PROBATION), None)
    return Scored(score[kept].astype(np.float64), window[kept], value[kept], len(windows))


def sigmoid(y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return 2 / (1 + exp(5 y)) - 1, and -1 beyond y = 3."""
    near: NDArray[np.float64] = 2 / (1 + np.exp(5 * np.minimum(y, _BEYOND))) - 1
    return np.where(y > _BEYOND, -1.0, near)


def nab_score(streams: Sequence[Scored], profile: Profile, threshold: float | None = None) -> Nab:
    """Return the score at a threshold, or at the one that scores best."""
    gains = [_gains(each, profile) for each in streams]
    score = np.concatenate([each for each, _ in gains]) if gains else np.zeros(0)
    gain = np.concatenate([each for _, each in gains]) if gains else np.zeros(0)
    order = np.argsort(-score, kind="stable")
    steps = np.append(np.inf, score[order])
    sums = np.append(0.0, np.cumsum(gain[order]))
    last = np.flatnonzero(np.append(np.diff(steps), -1.0))  # of each threshold's rows
    if threshold is None:
        chosen = last[np.argmax(sums[last])]
        threshold = float(steps[chosen])
    else:
        chosen = np.searchsorted(-steps, -threshold, "right") - 1
    reachable = sum(len(np.unique(each.window[each.window >= 0])) for each in streams)
    perfect = profile.tp * sum(each.windows for each in streams) + profile.fn * reachable
    return Nab(100 * float(sums[chosen]) / perfect if perfect else float("nan"), threshold)


def _gains(each: Scored, profile: Profile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rows' scores, highest first, and what each adds once the threshold falls to it."""
    order = np.argsort(-each.score, kind="stable")
    window, value = each.window[order], each.value[order]
    gain = np.where(window < 0, profile.fp * value, 0.0)
    for number in range(each.windows):
        rows = np.flatnonzero(window == number)
        best = np.maximum.accumulate(profile.tp * value[rows])
        gain[rows] = np.diff(best, prepend=-profile.fn)
    return each.score[order], gain
