"""An outcome: what is said about each row of a series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.reading import Change, Verdicts

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is said about T rows."""

    score: NDArray[np.float64]  #: (T,) 1.0 is the limit; 0 while learning and where there is no verdict
    alarm: Flags  #: (T,) whether an alarm is open
    opened: Flags  #: (T,) whether one opens here
    closed: Flags  #: (T,) whether one closes here

    @property
    def anomaly_score(self) -> NDArray[np.float64]:
        """Return the scores in 0..1, score / (1 + score), in which the limit is 0.5."""
        return 1 - 1 / (1 + self.score)

    def episodes(self, first: int) -> NDArray[np.int64]:
        """Return the first and the last row (n, 2) of each alarm from row `first` on, counted from there."""
        edges = np.diff(self.alarm[first:].astype(np.int8), prepend=0, append=0)
        return np.stack([np.flatnonzero(edges > 0), np.flatnonzero(edges < 0) - 1], axis=1)


def of_verdicts(verdicts: Verdicts, first_ms: int, interval_ms: int, rows: int) -> Outcome:
    """Return the outcome of one stream's verdicts; a row without a verdict leaves an open alarm open."""
    row = (verdicts.time - first_ms) // interval_ms
    score, latest = np.zeros(rows), np.full(rows, -1)
    score[row] = np.nan_to_num(verdicts.score, nan=0.0)
    latest[row] = np.arange(len(row))
    latest = np.maximum.accumulate(latest)
    opened, closed = np.zeros((2, rows), bool)
    opened[row[verdicts.change == Change.OPENED]] = True
    closed[row[verdicts.change == Change.CLOSED]] = True
    is_open = np.append(verdicts.alarm != 0, False)  # the last stands for no verdict yet
    return Outcome(score, is_open[latest], opened, closed)


def of_scores(score: NDArray[np.float64]) -> Outcome:
    """Return the outcome of scores (T,) alone: an alarm is open as long as they reach 1.0."""
    alarm = score >= 1.0
    before = np.concatenate([[False], alarm])[: len(alarm)]
    return Outcome(score, alarm, alarm & ~before, before & ~alarm)
