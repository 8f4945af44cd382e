"""Readings from recorded data, as the engine takes them."""

from collections.abc import Sequence

import numpy as np

from edge.reading import Readings
from models.data.recordings import Recording


def of_recordings(recordings: Sequence[Recording]) -> Readings:
    """Return the readings of recordings, stream k being row k; each at the start of its slot."""
    return Readings.concatenate([_of_recording(row, each) for row, each in enumerate(recordings)])


def _of_recording(row: int, recording: Recording) -> Readings:
    at, channel = np.nonzero(~np.isnan(recording.values))
    return Readings(
        np.full(len(at), row, np.int32),
        channel.astype(np.int16),
        recording.slots[at] * recording.interval_ms,
        recording.values[at, channel],
    )
