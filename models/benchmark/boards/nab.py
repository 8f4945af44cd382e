"""NAB, the Numenta Anomaly Benchmark: single channels with times (Lavin and Ahmad 2015)."""

from math import floor
from pathlib import Path

import pandas as pd

from models.benchmark.board import Board
from models.benchmark.outcome import Outcome
from models.benchmark.rest import muted_unless_highest
from models.benchmark.series import Rows, Series, column, numbers, read_columns

TRAIN_SHARE = 0.15  #: of a file's rows, of at most 5000 of them: NAB's probationary period
MOST_ROWS = 5000
REST = 300  #: rows


def _find(data: Path) -> list[Series]:
    paths = sorted(data.glob("data/*/*.csv"))
    return [Series(f"{path.parent.name}/{path.stem}", (path,)) for path in paths]


def _read(series: Series) -> Rows:
    (path,) = series.paths
    table = read_columns(path, lambda name: name in ("timestamp", "value"))
    stamps, values = column(table, "timestamp", path), column(table, "value", path)
    train = floor(min(TRAIN_SHARE * len(table), TRAIN_SHARE * MOST_ROWS))
    return Rows(numbers(values.to_frame()), train, stamps.tolist())


def _table(series: Series, rows: Rows, outcome: Outcome) -> pd.DataFrame:  # noqa: ARG001
    score = muted_unless_highest(outcome.anomaly_score, REST)
    return pd.DataFrame({"timestamp": rows.stamps, "anomaly_score": score})


BOARD = Board("nab", "NAB's data/<family>/<file>.csv", 1, _find, _read, _table)
