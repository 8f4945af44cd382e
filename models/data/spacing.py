"""Spacing: how far apart the readings of a channel come."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.reading import Readings


@dataclass(frozen=True, slots=True)
class Spacing:
    """The 5th, 50th and 95th percentile of what lies between successive readings of a channel, milliseconds."""

    low_ms: int
    median_ms: int
    high_ms: int

    @property
    def interval_ms(self) -> int:
        """Return the median, in whole seconds where it nearly is so: a device's clock jitters."""
        seconds = round(self.median_ms / 1000) * 1000
        return seconds if seconds and abs(seconds - self.median_ms) <= 0.02 * self.median_ms else self.median_ms


def measure_spacing(parts: Sequence[Readings], channels: int) -> Spacing | None:
    """Return the spacing of readings, which must be in order within a stream; None if no two are of a channel."""
    stream = np.concatenate([each.stream for each in parts] or [np.zeros(0, np.int32)])
    channel = np.concatenate([each.channel for each in parts] or [np.zeros(0, np.int16)])
    time = np.concatenate([each.time for each in parts] or [np.zeros(0, np.int64)])
    lane = stream.astype(np.int64) * channels + channel
    order = np.argsort(lane, kind="stable")
    between = np.diff(time[order])[np.diff(lane[order]) == 0]
    between = between[between > 0]
    if between.size == 0:
        return None
    return Spacing(*np.percentile(between, [5, 50, 95]).astype(np.int64).tolist())
