"""A series of a board: where it lies, and its rows, which are slots. Labels are never read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edge.errors import DataError
from models.data.recordings import Recording

DAY_MS = 86_400_000
NOMINAL_MS = 60_000  #: the interval of rows without times
NOMINAL_START_MS = 946_684_800_000  #: 2000-01-01, when they begin


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a board; its scores become SCORES/<name>.csv."""

    name: str  #: such as realTweets/Twitter_volume_AAPL
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Rows:
    """What is read of a series. A row is a slot, whatever its time says."""

    values: NDArray[np.float64]  #: (T, C) NaN where nothing is
    train: int  #: rows that are learnt from, the first ones
    stamps: Sequence[str] = ()  #: (T,) times as the file has them; none where it has none

    @cached_property
    def times(self) -> NDArray[np.int64]:
        """Return the times of the stamps (T,), ms; an unreadable one is NaT's number."""
        utc = pd.to_datetime(pd.Series(self.stamps, dtype=object), utc=True, format="ISO8601", errors="coerce")
        return np.asarray(utc.dt.as_unit("ms").astype("int64"), np.int64)

    @cached_property
    def _clock(self) -> tuple[int, int] | None:
        """Return the first time and the interval, ms, as the rows learnt from tell them; None if they do not."""
        if not len(self.stamps):
            return None
        between = np.diff(self.times[: self.train])
        between = between[between > 0]
        return (int(self.times[0]), int(np.median(between))) if between.size and self.times[0] > 0 else None

    @property
    def knows_days(self) -> bool:
        """Tell whether the rows learnt from span a day: a time of day of less would only tell how long it has run."""
        return self._clock is not None and self.train * self._clock[1] >= DAY_MS

    def recording(self, name: str) -> Recording:
        """Return all rows as the slots of a stream, from the first time on at the median interval."""
        first_ms, interval_ms = self._clock or (NOMINAL_START_MS, NOMINAL_MS)
        channels = tuple(f"channel-{number}" for number in range(self.values.shape[1]))
        return Recording(name, channels, interval_ms, first_ms // interval_ms, self.values)


def read_columns(path: Path, wanted: Callable[[str], bool], sep: str = ",") -> "pd.DataFrame":
    """Return the wanted columns of a CSV file as text, without parsing any other; DataError if it is no such file."""
    try:
        table: pd.DataFrame = pd.read_csv(path, sep=sep, usecols=wanted, dtype=str)
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise DataError(f"{path}: expected a CSV file that can be read, got: {error}") from error
    return table


def column(table: "pd.DataFrame", name: str, path: Path) -> "pd.Series[Any]":
    """Return a column; DataError if the file has none of that name."""
    if name not in table:
        raise DataError(f"{path}: expected a column {name!r}, got none")
    return table[name]


def numbers(text: "pd.DataFrame") -> NDArray[np.float64]:
    """Return text (T, C) as numbers, NaN where it is none."""
    values: NDArray[np.float64] = text.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    return values
