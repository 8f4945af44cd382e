"""SKAB, the Skoltech Anomaly Benchmark: eight channels of a water loop, a row a second (Katser and Kozitsin 2020)."""

from pathlib import Path

import pandas as pd

from models.benchmark.board import Board
from models.benchmark.outcome import Outcome
from models.benchmark.rest import spaced
from models.benchmark.series import Rows, Series, column, numbers, read_columns
from models.benchmark.turns import turns

FOLDERS = ("valve1", "valve2", "other")
TRAIN = 400  #: rows
NEVER_READ = ("anomaly", "changepoint")  #: the labels
REST_MS = 60_000  #: between change points, the width of SKAB's window


def _find(data: Path) -> list[Series]:
    return [
        Series(f"{folder}/{path.stem}", (path,))
        for folder in FOLDERS
        for path in sorted(data.glob(f"{folder}/*.csv"), key=lambda each: (len(each.stem), each.stem))
    ]


def _read(series: Series) -> Rows:
    (path,) = series.paths
    table = read_columns(path, lambda name: name not in NEVER_READ, sep=";")
    stamps = column(table, "datetime", path)
    return Rows(numbers(table.drop(columns="datetime")), min(TRAIN, len(table)), stamps.tolist())


def _table(series: Series, rows: Rows, outcome: Outcome) -> pd.DataFrame:  # noqa: ARG001
    changes = spaced(turns(outcome), rows.times, REST_MS)
    table = {
        "datetime": rows.stamps,
        "anomaly_score": outcome.anomaly_score,
        "prediction": outcome.alarm.astype(int),
        "changepoint": changes.astype(int),
    }
    return pd.DataFrame(table).iloc[rows.train :]


BOARD = Board("skab", "SKAB's valve1/, valve2/ or other/ with <number>.csv", 8, _find, _read, _table)
