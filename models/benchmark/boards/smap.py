"""SMAP and MSL: telemetry of two spacecraft, a channel a series (Hundman et al. 2018)."""

from pathlib import Path

import numpy as np
import pandas as pd

from models.benchmark.board import Board
from models.benchmark.outcome import Outcome
from models.benchmark.series import Rows, Series, column, numbers, read_columns

GAP = 512  #: rows without a value between the two files, as nobody knows how long after the first the second begins
_TRAIN, _TEST = "_train", "_test"


def _find(data: Path) -> list[Series]:
    trains = sorted(data.glob(f"*/*{_TRAIN}.csv"))
    return [_series(path, path.stem.removesuffix(_TRAIN)) for path in trains]


def _series(train: Path, channel: str) -> Series:
    return Series(f"{train.parent.name}/{channel}", (train, train.with_name(f"{channel}{_TEST}.csv")))


def _read(series: Series) -> Rows:
    train, test = (_telemetry(path) for path in series.paths)
    return Rows(np.concatenate([train, np.full((GAP, 1), np.nan), test]), len(train))


def _telemetry(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the channel itself (T, 1), without the commands beside it."""
    return numbers(column(read_columns(path, lambda name: name == "value"), "value", path).to_frame())


def _table(series: Series, rows: Rows, outcome: Outcome) -> pd.DataFrame:
    """Return the alarms in the test file as rows of it, both ends included."""
    episodes = outcome.episodes(rows.train + GAP)
    return pd.DataFrame({"chan": series.name.rpartition("/")[2], "start": episodes[:, 0], "end": episodes[:, 1]})


BOARD = Board("smap", "<spacecraft>/<channel>_train.csv and _test.csv", 1, _find, _read, _table, joined="smap.csv")
