"""UCR, the Hexagon anomaly archive: single channels without times, one anomaly each (Wu and Keogh 2021)."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from edge.errors import DataError
from models.benchmark.board import Board
from models.benchmark.outcome import Outcome
from models.benchmark.series import Rows, Series, column, numbers, read_columns

SMOOTH = 32  #: rows over which scores are averaged, since one place has to stand for an event
_NAME = re.compile(r"\d+_UCR_Anomaly_.+_(\d+)_\d+_\d+")  # the last two numbers are the label, which is not read


def _find(data: Path) -> list[Series]:
    paths = {path.stem: path for path in (*data.glob("*.txt"), *data.glob("*.csv")) if _NAME.fullmatch(path.stem)}
    return [Series(name, (path,)) for name, path in sorted(paths.items())]


def _read(series: Series) -> Rows:
    (path,) = series.paths
    named = _NAME.fullmatch(path.stem)
    values = _text(path) if path.suffix == ".txt" else _csv(path)
    return Rows(values, min(int(named[1]) if named else 0, len(values)))


def _csv(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return numbers(column(read_columns(path, lambda name: name == "value"), "value", path).to_frame())


def _text(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the numbers (T, 1) of a file of the archive: one a line, or all in one line."""
    try:
        return np.array(path.read_text().split(), np.float64)[:, None]
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected numbers, got: {error}") from error


def _table(series: Series, rows: Rows, outcome: Outcome) -> pd.DataFrame:  # noqa: ARG001
    score = replace(outcome, score=pd.Series(outcome.score).rolling(SMOOTH, min_periods=1).mean().to_numpy())
    return pd.DataFrame({"anomaly_score": score.anomaly_score})


BOARD = Board("ucr", "<number>_UCR_Anomaly_<name>_<train>_<begin>_<end>.csv or .txt", 1, _find, _read, _table)
