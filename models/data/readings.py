"""Readings from recorded data, as the engine takes them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.manifest import Channel
from edge.reading import Readings
from models.data.recordings import Recording


def of_recordings(recordings: Sequence[Recording], channels: Sequence[Channel] = ()) -> Readings:
    """Return the readings of recordings, stream k being row k; each at the start of its slot.

    The rates of channels that are counters become the running totals that they came from.
    """
    counters = [k for k, channel in enumerate(channels) if channel.counter]
    parts = [each if not counters else _with_totals(each, counters) for each in recordings]
    return Readings.concatenate([_of_recording(row, each) for row, each in enumerate(parts)])


def _with_totals(recording: Recording, counters: Sequence[int]) -> Recording:
    values = recording.values.copy()
    for k in counters:
        at = np.flatnonzero(~np.isnan(values[:, k]))
        values[at, k] = np.cumsum(values[at, k] * np.diff(at, prepend=at[:1]) * recording.interval_ms / 1000)
    return replace(recording, values=values)


def _of_recording(row: int, recording: Recording) -> Readings:
    at, channel = np.nonzero(~np.isnan(recording.values))
    return Readings(
        np.full(len(at), row, np.int32),
        channel.astype(np.int16),
        recording.slots[at] * recording.interval_ms,
        recording.values[at, channel],
    )
