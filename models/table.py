"""Tables: recorded readings in a CSV or Parquet file, a column a channel, read block by block."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edge.errors import DataError
from edge.state import NEVER
from models.latest import Latest
from models.times import Clock

BLOCK_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Table:
    """Where a file has what: one row is one time of one device."""

    path: Path
    time: str  #: column of the times
    channels: tuple[str, ...]  #: columns of the values
    device: str | None = None  #: column that names the stream; without one the file is one stream
    stream: str | None = None  #: that stream's name; the file's name without its ending if none
    time_zone: str = "UTC"  #: of times that tell no offset

    @property
    def columns(self) -> list[str]:
        """Return all columns that are read."""
        return [self.time, *([self.device] if self.device else []), *self.channels]


@dataclass(frozen=True, slots=True)
class Block:
    """Successive rows of a table, checked: numbers, and times that never go back within a stream."""

    names: list[str]  #: of all streams met so far, in order of appearance; it grows from block to block
    device: NDArray[np.int64]  #: (n,) index of the stream in `names`
    time: NDArray[np.int64]  #: (n,) UTC epoch, milliseconds
    value: NDArray[np.float64]  #: (n, C) NaN where a cell is empty


def read_blocks(table: Table, rows: int = BLOCK_ROWS) -> Iterator[Block]:
    """Yield a table's rows in order, at most so many at a time; DataError says what is wrong with which row.

    Rows are counted from 1, the header not included.
    """
    if not table.path.is_file():
        raise DataError(f"{table.path}: expected a CSV or Parquet file, got {_what(table.path)}")
    clock, newest, known, first = Clock(table.time_zone), Latest(), dict[str, int](), 1
    for frame in _frames(table, rows):
        frame.index = pd.RangeIndex(first, first + len(frame))
        device = _device(table, frame, known)
        time = _time(table, frame, clock, device)
        _check_order(table, first, time, newest.take(device, time))
        value = np.stack([_numbers(table, frame[channel]) for channel in table.channels], axis=1)
        first += len(frame)
        yield Block(list(known), device, time, value)
    if first == 1:
        raise DataError(f"{table.path}: expected at least one row, got none")


def _what(path: Path) -> str:
    return "a folder" if path.exists() else "nothing of that name"


def _frames(table: Table, rows: int) -> Iterator[pd.DataFrame]:
    try:
        yield from (_parquet if table.path.suffix.lower() in {".parquet", ".pq"} else _csv)(table, rows)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError, ValueError) as error:
        raise DataError(f"{table.path}: expected a readable CSV or Parquet file, got: {error}") from error


def _csv(table: Table, rows: int) -> Iterator[pd.DataFrame]:
    _check_columns(table, list(pd.read_csv(table.path, nrows=0, encoding="utf-8-sig").columns))
    text: dict[Any, Any] = dict.fromkeys({table.time, table.device or table.time}, "str")
    with pd.read_csv(
        table.path,
        usecols=table.columns,
        dtype=text,
        chunksize=rows,
        encoding="utf-8-sig",
        low_memory=False,
    ) as chunks:
        yield from chunks


def _parquet(table: Table, rows: int) -> Iterator[pd.DataFrame]:
    from pyarrow import parquet

    with parquet.ParquetFile(table.path) as file:
        _check_columns(table, file.schema_arrow.names)
        for batch in file.iter_batches(rows, columns=table.columns):
            yield batch.to_pandas(ignore_metadata=True)


def _check_columns(table: Table, there: list[str]) -> None:
    for column in table.columns:
        if column not in there:
            near = get_close_matches(column, there, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise DataError(f"{table.path}: expected a column {column!r}, got {', '.join(map(repr, there))}{hint}")


def _device(table: Table, frame: pd.DataFrame, known: dict[str, int]) -> NDArray[np.int64]:
    """Return the number of each row's stream (n,), new streams being added to the known ones."""
    if table.device is None:
        known.setdefault(table.stream or table.path.stem, 0)
        return np.zeros(len(frame), np.int64)
    if (missing := frame[table.device].isna()).any():
        raise DataError(f"{table.path}: row {missing.idxmax()}: {table.device}: expected a device, got nothing")
    code, names = pd.factorize(frame[table.device])
    return np.array([known.setdefault(str(name), len(known)) for name in names], np.int64)[code]


def _time(table: Table, frame: pd.DataFrame, clock: Clock, device: NDArray[np.int64]) -> NDArray[np.int64]:
    time = clock.read(frame[table.time], device)
    if (unread := np.flatnonzero(time == NEVER)).size:
        cell = frame[table.time].iloc[unread[0]]
        got = "nothing" if pd.isna(cell) else repr(str(cell))
        raise DataError(
            f"{table.path}: row {frame.index[unread[0]]}: {table.time}: expected a time such as '2024-05-01T06:30:00Z' "
            f"that exists in {table.time_zone}, or seconds since 1970, got {got}"
        )
    return time


def _numbers(table: Table, column: "pd.Series[Any]") -> NDArray[np.float64]:
    numbers = pd.to_numeric(column, errors="coerce")
    if (wrong := numbers.isna() & column.notna()).any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{table.path}: row {column.index[at]}: {column.name}: expected a number, got {str(column.iloc[at])!r}"
        )
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _check_order(table: Table, first: int, time: NDArray[np.int64], before: NDArray[np.int64]) -> None:
    if (back := np.flatnonzero(time < before)).size:
        got, after = (np.datetime64(int(times[back[0]]), "ms") for times in (time, before))
        raise DataError(
            f"{table.path}: row {first + back[0]}: {table.time}: expected times in ascending order within a stream, "
            f"got {got}Z after {after}Z"
        )
