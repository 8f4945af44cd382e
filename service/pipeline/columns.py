"""The readings of a batch, as numbers from the start: as objects of Python they would take four times as much."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.reading import Readings


@dataclass(slots=True)
class Columns:
    """Readings of a monitor in order of arrival, run by run: so many values of one channel of one stream each."""

    row: list[int] = field(default_factory=list)  #: of each run's stream
    channel: list[int] = field(default_factory=list)  #: of each run: its place within the bundle
    count: list[int] = field(default_factory=list)  #: readings of each run
    time: list[NDArray[np.int64]] = field(default_factory=list)  #: of all readings, in pieces (n,); UTC epoch, ms
    value: list[NDArray[np.float64]] = field(default_factory=list)  #: likewise, in the unit that the sensor sends

    def __len__(self) -> int:
        return sum(self.count)

    def add(self, row: int, channel: int, times: Sequence[int], values: Sequence[float]) -> None:
        """Add values of one channel of one stream."""
        self.extend([row], [channel], [len(values)], np.array(times, np.int64), np.array(values, np.float64))

    def extend(
        self,
        rows: Sequence[int],
        channels: Sequence[int],
        counts: Sequence[int],
        times: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> None:
        """Add runs, whose times and values (n,) follow each other."""
        self.row += rows
        self.channel += channels
        self.count += counts
        self.time.append(times)
        self.value.append(values)

    def readings(self) -> Readings:
        """Return all, a row each; there must be one."""
        row, channel = np.array(self.row, np.int32), np.array(self.channel, np.int16)
        time, value = np.concatenate(self.time), np.concatenate(self.value)
        if len(time) > len(row):
            row, channel = np.repeat(row, self.count), np.repeat(channel, self.count)
        return Readings(row, channel, time, value)
