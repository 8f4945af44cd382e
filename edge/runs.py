"""Runs: equal neighbours in an array, such as the readings of one stream in a sorted batch."""

import numpy as np
from numpy.typing import NDArray

from edge.across import all_set
from edge.state import NEVER


def run_starts(group: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Mark where a run of equal neighbours begins; (n,)."""
    starts = np.ones(len(group), bool)
    np.not_equal(group[1:], group[:-1], out=starts[1:])
    return starts


def run_ranks(group: NDArray[np.integer]) -> NDArray[np.intp]:
    """Return each item's place in its run, from 0; (n,)."""
    begins = run_starts(group).nonzero()[0]
    return np.arange(len(group)) - np.repeat(begins, np.diff(begins, append=len(group)))


def newest_before(group: NDArray[np.integer], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the greatest time earlier in the same run of equal groups; NEVER for the first; (n,)."""
    starts = run_starts(group)
    if all_set(starts):
        return np.full(len(time), NEVER)
    run = np.cumsum(starts)
    origin = int(time.min())
    lift = run * (int(time.max()) - origin + 1)  # lifts each run above all earlier ones
    running = np.maximum.accumulate(time - origin + lift)
    before = np.concatenate([[0], running[:-1]]) - lift + origin
    return np.where(starts, NEVER, before)
