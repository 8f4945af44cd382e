"""Rows: frames of a table to checked blocks of readings; the border that pandas does not cross."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edge.errors import DataError
from edge.reading import Readings
from edge.state import NEVER
from models.data.latest import Latest
from models.data.sources.layout import Layout
from models.data.sources.source import Block
from models.data.times import Clock


class Rows:
    """Reads successive frames of one layout; streams and their latest times are remembered between them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._clock = Clock(layout.time_zone)
        self._newest = Latest()
        self._rows: dict[str, int] = {}
        self.others: set[str] = set()  #: what a long table has beside the channels asked for

    def read(self, path: Path, frame: pd.DataFrame, stream: str) -> Block:
        """Return the readings of a frame, whose index is the rows' numbers; DataError names the row that is wrong.

        `stream` is whose they are where no column tells.
        """
        channel = None
        if self._layout.channel is not None:
            channel = self._channel(frame[self._layout.channel])
            frame, channel = frame[channel >= 0], channel[channel >= 0]
        device = self._device(path, frame, stream)
        lane = device if channel is None else device * len(self._layout.channels) + channel
        time = self._time(path, frame, device, lane)
        _check_order(path, frame, self._layout.time, time, self._newest.take(device, time))
        if channel is None:
            value = np.stack([_numbers(path, frame[each]) for each in self._layout.channels], axis=1)
            at, channel = np.nonzero(~np.isnan(value))
            return self._block(device[at], channel, time[at], value[at, channel], value.size, len(frame))
        value = _numbers(path, frame[self._layout.value])
        at = np.flatnonzero(~np.isnan(value))
        return self._block(device[at], channel[at], time[at], value[at], value.size, len(frame))

    def _block(
        self,
        device: NDArray[np.int64],
        channel: NDArray[np.int64],
        time: NDArray[np.int64],
        value: NDArray[np.float64],
        cells: int,
        rows: int,
    ) -> Block:
        readings = Readings(device.astype(np.int32), channel.astype(np.int16), time, value)
        return Block(list(self._rows), readings, rows, cells - len(readings))

    def _channel(self, column: "pd.Series[Any]") -> NDArray[np.int64]:
        """Return the index of each row's channel (n,); -1 where it was not asked for."""
        code, names = pd.factorize(column)
        known = {name: i for i, name in enumerate(self._layout.channels)}
        self.others |= {str(name) for name in names} - known.keys()
        return np.array([*(known.get(str(name), -1) for name in names), -1], np.int64)[code]

    def _device(self, path: Path, frame: pd.DataFrame, stream: str) -> NDArray[np.int64]:
        """Return the number of each row's stream (n,), new streams being added to the known ones."""
        if self._layout.device is None:
            return np.full(len(frame), self._rows.setdefault(stream, len(self._rows)), np.int64)
        column = frame[self._layout.device]
        if (missing := column.isna()).any():
            raise DataError(f"{path}: row {missing.idxmax()}: {column.name}: expected a device, got nothing")
        code, names = pd.factorize(column)
        return np.array([self._rows.setdefault(str(name), len(self._rows)) for name in names], np.int64)[code]

    def _time(
        self, path: Path, frame: pd.DataFrame, device: NDArray[np.int64], lane: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        column = frame[self._layout.time]
        time = self._clock.read(column, device, lane)
        if (unread := np.flatnonzero(time == NEVER)).size:
            cell = column.iloc[unread[0]]
            got = "nothing" if pd.isna(cell) else repr(str(cell))
            raise DataError(
                f"{path}: row {frame.index[unread[0]]}: {column.name}: expected a time such as '2024-05-01T06:30:00Z' "
                f"that exists in {self._layout.time_zone}, or seconds since 1970, got {got}"
            )
        return time


def _numbers(path: Path, column: "pd.Series[Any]") -> NDArray[np.float64]:
    numbers = pd.to_numeric(column, errors="coerce")
    if (wrong := numbers.isna() & column.notna()).any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{path}: row {column.index[at]}: {column.name}: expected a number, got {str(column.iloc[at])!r}"
        )
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _check_order(
    path: Path, frame: pd.DataFrame, column: str, time: NDArray[np.int64], before: NDArray[np.int64]
) -> None:
    if (back := np.flatnonzero(time < before)).size:
        got, after = (np.datetime64(int(times[back[0]]), "ms") for times in (time, before))
        raise DataError(
            f"{path}: row {frame.index[back[0]]}: {column}: expected times in ascending order within a stream, "
            f"got {got}Z after {after}Z"
        )
