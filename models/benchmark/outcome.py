"""An outcome: what is said about each row of a series."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.alarm import AlarmPolicy
from edge.quality import UNCLEAN
from edge.reading import Verdicts
from edge.runs import run_ranks
from edge.state import Records, record_dtype

CRITICAL = 4.0  #: a score so high is an event without further ones
FLAWED = 32  #: rows in a row in which something is wrong with every sensor: an event as well, though without a score

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is said about T rows."""

    score: NDArray[np.float64]  #: (T,) 1.0 is the limit; 0 while learning and where there is no verdict
    error: NDArray[np.float64]  #: (T,) greatest |value - expected| / half-width of the band; NaN where there is none
    alarm: Flags  #: (T,) whether an alarm is open, or all sensors have been flawed for long

    @property
    def anomaly_score(self) -> NDArray[np.float64]:
        """Return the scores in 0..1, score / (1 + score), in which the limit is 0.5."""
        return 1 - 1 / (1 + self.score)

    def episodes(self, first: int) -> NDArray[np.int64]:
        """Return the first and the last row (n, 2) of each alarm from row `first` on, counted from there."""
        edges = np.diff(self.alarm[first:].astype(np.int8), prepend=0, append=0)
        return np.stack([np.flatnonzero(edges > 0), np.flatnonzero(edges < 0) - 1], axis=1)


def of_verdicts(verdicts: Verdicts, policy: AlarmPolicy, first_ms: int, interval_ms: int, rows: int) -> Outcome:
    """Return the outcome of one stream's verdicts, with the alarms that a policy makes of their scores.

    An alarm is also open after a single critical score, such as that of a step of what was constant, and where every
    channel has been flawed for long.
    """
    row = (verdicts.time - first_ms) // interval_ms
    score, error, flawed = np.zeros(rows), np.full(rows, np.nan), np.zeros(rows, bool)
    score[row] = np.nan_to_num(verdicts.score, nan=0.0)
    reach = np.maximum((verdicts.upper - verdicts.lower) / 2, np.finfo(float).tiny)
    error[row] = np.fmax.reduce(np.abs(verdicts.value - verdicts.expected) / reach, axis=1)
    flawed[row] = ((verdicts.quality & UNCLEAN) != 0).all(axis=1)
    lasting = flawed & (run_ranks(flawed) >= FLAWED - 1)
    alone = replace(policy, k=1, n=1, release=policy.release / CRITICAL)
    return Outcome(score, error, alarms_of(score, policy) | alarms_of(score / CRITICAL, alone) | lasting)


def of_scores(score: NDArray[np.float64]) -> Outcome:
    """Return the outcome of scores (T,) alone: an alarm is open as long as they reach 1.0."""
    return Outcome(score, score, score >= 1.0)


def alarms_of(score: NDArray[np.float64], policy: AlarmPolicy) -> Flags:
    """Return whether an alarm of the policy is open in each row (T,) of the scores (T,)."""
    record, alarm = Records.zeros(1, record_dtype(1, 0)), np.zeros(len(score), bool)
    for row, each in enumerate(score.astype(np.float32)):
        policy.advance(record, each[None], np.array([row + 1]))
        alarm[row] = record["alarm"][0] != 0
    return alarm
