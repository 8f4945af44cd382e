"""Readings from recorded data, as the engine takes them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.reading import Readings
from models.data import Recording
from models.table import Block


def of_recordings(recordings: Sequence[Recording]) -> Readings:
    """Return the readings of recordings, stream k being row k; each at the start of its slot."""
    return Readings.concatenate(
        [
            _flat(np.full(len(each.values), row), each.slots * each.interval_ms, each.values)
            for row, each in enumerate(recordings)
        ]
    )


def of_block(block: Block) -> Readings:
    """Return the readings of a table's block, a stream's row being its index in the block's names."""
    return _flat(block.device, block.time, block.value)


def _flat(row: NDArray[np.int64], time: NDArray[np.int64], value: NDArray[np.float64]) -> Readings:
    """Return the readings of rows (n,) that hold C values each (n, C); an empty cell is no reading."""
    at, channel = np.nonzero(~np.isnan(value))
    return Readings(row[at].astype(np.int32), channel.astype(np.int16), time[at], value[at, channel])
