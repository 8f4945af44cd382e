"""Frames: a CSV or Parquet file piece by piece, as pandas reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from edge.errors import DataError
from models.data.sources.layout import Layout

ENDINGS = (".csv", ".csv.gz", ".parquet", ".pq")
_ENCODING = "utf-8-sig"


def read_header(path: Path) -> list[str]:
    """Return the names of a file's columns; DataError if it is no table."""
    with _told(path):
        if _is_parquet(path):
            from pyarrow import parquet

            names: list[str] = parquet.read_schema(path).names
            return names
        return list(pd.read_csv(path, nrows=0, encoding=_ENCODING).columns)


def read_frames(path: Path, layout: Layout, rows: int) -> Iterator[pd.DataFrame]:
    """Yield a file's rows with the layout's columns, at most so many at a time, numbered from 1."""
    first = 1
    with _told(path):
        for frame in (_parquet if _is_parquet(path) else _csv)(path, layout, rows):
            frame.index = pd.RangeIndex(first, first + len(frame))
            first += len(frame)
            yield frame


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in {".parquet", ".pq"}


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what goes wrong in reading a file into a DataError."""
    if not path.is_file():
        raise DataError(f"{path}: expected a CSV or Parquet file, got nothing of that name")
    try:
        yield
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
        OSError,
        EOFError,
        ValueError,
    ) as error:
        raise DataError(f"{path}: expected a readable CSV or Parquet file, got: {error}") from error


def _csv(path: Path, layout: Layout, rows: int) -> Iterator[pd.DataFrame]:
    texts = (layout.time, layout.device or layout.time, layout.channel or layout.time)
    as_text: dict[Any, Any] = dict.fromkeys(texts, "str")
    with pd.read_csv(
        path, usecols=layout.columns, dtype=as_text, chunksize=rows, encoding=_ENCODING, low_memory=False
    ) as chunks:
        yield from chunks


def _parquet(path: Path, layout: Layout, rows: int) -> Iterator[pd.DataFrame]:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(rows, columns=layout.columns):
            yield batch.to_pandas(ignore_metadata=True)
