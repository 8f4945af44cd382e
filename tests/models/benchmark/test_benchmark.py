"""Score files of every board: what they do not depend on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.benchmark.benchmark import Benchmark, run
from models.benchmark.boards import BOARDS
from models.benchmark.running import Contender
from models.spec import ForecasterSpec, TrainingSpec

AR = Contender("ar", ForecasterSpec("ar", lookback=6), TrainingSpec(stretch=16))
ALL, KEPT = 800, 704  #: rows of the data of conftest.py, and those that stay; a fault begins at 700
Change = Callable[[Path], None]


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """Return each board's name and data."""
    return request.param, request.getfixturevalue(request.param)


def scores(board: str, data: Path, out: Path) -> list[str]:
    """Return the lines of a board's first score file."""
    task = Benchmark(board, data, out, AR).chosen[0]
    told = run(task)
    assert (told.failure, told.note) == ("", "")
    return task.path.read_text().splitlines()


def change_tables(data: Path, change: Callable[[pd.DataFrame], pd.DataFrame], pattern: str = "**/*.csv") -> None:
    for path in data.glob(pattern):
        separator = ";" if "skab" in path.parts else ","
        change(pd.read_csv(path, sep=separator)).to_csv(path, sep=separator, index=False)


def random_after(kept: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a change of a table that makes something else of the numbers from a row on."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        number = table.select_dtypes("float").columns
        shape = table.loc[kept:, number].shape
        table.loc[kept:, number] = np.random.default_rng(9).normal(30, 9, shape)
        return table

    return change


@pytest.mark.slow
def test_the_score_of_a_row_depends_on_no_later_row(board: tuple[str, Path], tmp_path: Path) -> None:
    name, data = board
    whole = scores(name, data, tmp_path / "whole")
    before = 400 if name in ("skab", "smap") else 0  #: rows that are not written
    if name == "smap":
        change_tables(data, random_after(KEPT - before), "**/*_test.csv")
    else:
        change_tables(data, random_after(KEPT))
    changed = scores(name, data, tmp_path / "changed")
    assert whole != changed
    if name == "smap":  # one line an alarm: those that have begun have the same beginning
        begun = [[line.split(",")[1] for line in each[1:] if int(line.split(",")[1]) < KEPT - before]
                 for each in (whole, changed)]  # fmt: skip
        assert begun[0] == begun[1] != []
    else:
        assert whole[: 1 + KEPT - before] == changed[: 1 + KEPT - before]


@pytest.mark.slow
def test_labels_are_not_read(board: tuple[str, Path], tmp_path: Path) -> None:
    name, data = board
    labelled = scores(name, data, tmp_path / "labelled")

    def shuffle(table: pd.DataFrame) -> pd.DataFrame:
        for label in labels.intersection(table):
            table[label] = "nonsense"
        return table

    labels = {"anomaly", "changepoint", "label"}
    change_tables(data, shuffle)
    (data / "labeled_anomalies.csv").write_text("chan_id,spacecraft,anomaly_sequences\n")
    (data / "labels").mkdir()
    (data / "labels" / "combined_windows.json").write_text("no JSON")
    assert scores(name, data, tmp_path / "shuffled") == labelled
    change_tables(data, lambda table: table.drop(columns=labels.intersection(table)))
    shutil.rmtree(data / "labels")
    for path in data.glob("*_700_720.csv"):
        path.rename(path.with_name(path.name.replace("_700_720", "_1_2")))
    assert scores(name, data, tmp_path / "deleted") == labelled


def test_the_same_is_written_again_byte_for_byte(nab: Path, tmp_path: Path) -> None:
    assert scores("nab", nab, tmp_path / "once") == scores("nab", nab, tmp_path / "again")
