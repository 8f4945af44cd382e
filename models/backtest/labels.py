"""Labels: the windows of time in which something was wrong, as people have noted them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ConfigError, DataError
from models.backtest.spans import Spans
from models.data.periods import Period, parse_moment, read_periods
from models.data.sources.files import stem


def read_labels(path: Path, time_zone: str) -> list[Period]:
    """Read labelled windows; DataError says what is wrong with them.

    A file that ends in .json has the layout of NAB's combined_windows.json: lists of start and end, which belongs to
    the window, by file, whose name without folder and ending is the stream's. Any other is CSV with the columns start,
    end, which does not belong to it, and perhaps stream and label; such a file can be given to `--exclude-file` too.
    """
    if path.suffix.lower() != ".json":
        return read_periods(path, time_zone)
    try:
        found = json.loads(path.read_bytes())
        return [
            _window(stem(Path(file)), *window, time_zone=time_zone)
            for file, windows in found.items()
            for window in windows
        ]
    except (OSError, ValueError, TypeError, AttributeError, ConfigError) as error:
        raise DataError(f"{path}: expected lists of [start, end] by file, got: {error}") from error


def windows_of(labels: Sequence[Period], names: Sequence[str]) -> Spans:
    """Return the labelled windows of the streams of those names; DataError if all are of other streams."""
    row_of = {name: row for row, name in enumerate(names)}
    rows = [
        (row, each.start_ms, each.end_ms)
        for each in labels
        for row in (range(len(names)) if each.stream is None else [row_of.get(each.stream, -1)])
        if row >= 0
    ]
    if labels and not rows:
        theirs = sorted({str(each.stream) for each in labels})
        raise DataError(f"--labels: expected windows of {_some(names)}, got those of {_some(theirs)}")
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return Spans.merged(columns[0].astype(np.int32), columns[1], columns[2])


def _window(stream: str, start: Any, end: Any, *, time_zone: str) -> Period:
    return Period(parse_moment(str(start), time_zone), parse_moment(str(end), time_zone) + 1, stream)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
