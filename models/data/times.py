"""Times as files have them: ISO 8601 with or without an offset, or seconds or milliseconds since the epoch."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edge.align import EARLIEST, LATEST
from edge.calendar import zone
from edge.state import NEVER
from models.data.latest import Latest

_SECONDS_BELOW = 1e11  # as milliseconds that is 1973, as seconds the year 5138
_OFFSET = r"(?:[Zz]|[+-]\d\d:?\d\d|[+-]\d\d)$"
_HAS_CLOCK = r"\d\d?:\d\d|T\d\d"


class Clock:
    """Reads the times of devices, row after row; a time without an offset is of the given zone.

    Where clocks are put back an hour comes twice: a time in it is the later one if its device has already told a later
    time, or the same channel of it this very time.
    """

    def __init__(self, time_zone: str) -> None:
        self._zone = zone(time_zone)
        self._told, self._told_of_channel = Latest(), Latest()

    def read(self, column: "pd.Series[Any]", device: NDArray[np.int64], lane: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return times (n,) in UTC epoch milliseconds; NEVER where one can't be read.

        `device` (n,) numbers whose each time is, `lane` (n,) of which channel of it.
        """
        if not pd.api.types.is_datetime64_any_dtype(column):
            numbers = pd.to_numeric(column, errors="coerce")
            if 2 * numbers.notna().sum() > len(numbers):
                return _from_epoch(numbers)
        utc, naive = _parse(column)
        if naive.any():
            utc[naive] = self._localised(utc[naive], device[naive.to_numpy()], lane[naive.to_numpy()])
        return _milliseconds(utc)

    def _localised(
        self, wall: "pd.Series[Any]", device: NDArray[np.int64], lane: NDArray[np.int64]
    ) -> "pd.Series[Any]":
        """Return what UTC times are, taken for times on the wall in the zone; NaT for an hour that was skipped."""
        told = _milliseconds(wall)
        earlier = told >= self._told.take(device, told)
        earlier &= told > self._told_of_channel.take(lane, told)
        local = wall.dt.tz_localize(None).dt.tz_localize(self._zone, ambiguous=earlier, nonexistent="NaT")
        utc: pd.Series[Any] = local.dt.tz_convert("UTC")
        return utc


def _parse(column: "pd.Series[Any]") -> "tuple[pd.Series[Any], pd.Series[bool]]":
    """Return the times as UTC and which of them told no offset."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC"), pd.Series(False, column.index)
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.tz_localize("UTC"), pd.Series(True, column.index)
    text = column.astype("str").str.strip()
    utc = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce")
    return utc, ~(text.str.contains(_OFFSET) & text.str.contains(_HAS_CLOCK))


def _milliseconds(utc: "pd.Series[Any]") -> NDArray[np.int64]:
    time: NDArray[np.int64] = utc.dt.as_unit("ms").astype("int64").to_numpy(copy=True)
    time[utc.isna().to_numpy()] = NEVER
    return time


def _from_epoch(numbers: "pd.Series[Any]") -> NDArray[np.int64]:
    value = numbers.to_numpy(np.float64, na_value=np.nan)
    ms = np.where(value < _SECONDS_BELOW, value * 1000, value)
    sound = (ms >= EARLIEST) & (ms < LATEST)
    return np.where(sound, np.round(np.where(sound, ms, 0)), NEVER).astype(np.int64)
