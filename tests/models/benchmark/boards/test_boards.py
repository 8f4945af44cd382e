from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edge.errors import DataError
from models.benchmark.boards import BOARDS, open_board
from models.benchmark.boards.smap import GAP
from models.benchmark.outcome import of_scores

HIGH = np.where(np.arange(800) // 10 == 70, 3.0, 0.1)  #: rows 700-709


def test_nab_learns_from_the_first_share_of_a_file_and_mutes_what_is_no_new_event(nab: Path) -> None:
    board = open_board("nab")
    series = board.series(nab)
    assert [each.name for each in series] == ["realMade/one", "realMade/two"]
    rows = board.read(series[0])
    assert (rows.train, rows.values.shape, rows.knows_days) == (120, (800, 1), False)
    table = board.table(series[0], rows, of_scores(HIGH))
    assert list(table.columns) == ["timestamp", "anomaly_score"]
    assert table["timestamp"][1] == "2020-03-09 10:05:00"
    assert np.flatnonzero(table["anomaly_score"] >= 0.5).tolist() == [700]
    assert table["anomaly_score"].between(0, 1).all()


def test_nab_learns_from_at_most_750_rows(nab: Path) -> None:
    path = nab / "data" / "realMade" / "one.csv"
    pd.concat([pd.read_csv(path)] * 10).to_csv(path, index=False)
    board = open_board("nab")
    assert board.read(board.series(nab)[0]).train == 750


def test_skab_learns_from_400_rows_and_writes_the_others(skab: Path) -> None:
    (skab / "valve1" / "10.csv").write_bytes((skab / "valve1" / "0.csv").read_bytes())
    (skab / "valve1" / "2.csv").write_bytes((skab / "valve1" / "0.csv").read_bytes())
    board = open_board("skab")
    series = board.series(skab)
    assert [each.name for each in series] == ["valve1/0", "valve1/2", "valve1/10"]
    rows = board.read(series[0])
    assert (rows.train, rows.values.shape, rows.recording("a").interval_ms) == (400, (800, 8), 1000)
    table = board.table(series[0], rows, of_scores(HIGH))
    assert list(table.columns) == ["datetime", "anomaly_score", "prediction", "changepoint"]
    assert len(table) == 400
    assert np.flatnonzero(table["prediction"]).tolist() == list(range(300, 310))
    changes = np.flatnonzero(table["changepoint"])
    assert changes[0] == 300
    assert (np.diff(changes) >= 60).all()  # seconds


def test_smap_learns_from_the_train_file_and_writes_alarms_in_the_test_file(smap: Path) -> None:
    board = open_board("smap")
    (series,) = board.series(smap)
    assert series.name == "SMAP/P-1"
    rows = board.read(series)
    assert (rows.train, rows.values.shape) == (400, (400 + GAP + 400, 1))
    assert np.isnan(rows.values[400:-400]).all()
    told = board.table(series, rows, of_scores(np.insert(HIGH, 400, np.zeros(GAP)))).to_dict("records")
    assert told == [{"chan": "P-1", "start": 300, "end": 309}]


def test_ucr_learns_from_as_many_rows_as_the_name_says(ucr: Path) -> None:
    (table,) = ucr.iterdir()
    values = pd.read_csv(table)["value"]
    (ucr / "005_UCR_Anomaly_in_a_line_300_1_2.txt").write_text("   ".join(map(str, values)))
    table.with_suffix(".txt").write_text("the same series once more")
    (ucr / "manifest.csv").write_text("name,rows\n")
    board = open_board("ucr")
    csv, text = board.series(ucr)
    assert (board.read(csv).train, board.read(text).train) == (400, 300)
    assert (board.read(csv).values == board.read(text).values).all()
    scores = board.table(csv, board.read(csv), of_scores(HIGH))
    assert (list(scores.columns), len(scores)) == (["anomaly_score"], 800)


@pytest.mark.parametrize("name", BOARDS)
def test_a_folder_of_something_else_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected .*csv.*, found no such file"):
        open_board(name).series(tmp_path / "absent")


def test_a_column_that_is_missing_is_told(nab: Path) -> None:
    path = nab / "data" / "realMade" / "one.csv"
    path.write_text("timestamp,reading\n2020-01-01,1\n")
    board = open_board("nab")
    with pytest.raises(DataError, match=r"one\.csv: expected a column 'value', got none"):
        board.read(board.series(nab)[0])


def test_numbers_that_are_none_are_told(ucr: Path) -> None:
    (ucr / "005_UCR_Anomaly_bad_300_1_2.txt").write_text("1 2 x")
    board = open_board("ucr")
    with pytest.raises(DataError, match=r"bad_300_1_2\.txt: expected numbers, got: "):
        board.read(board.series(ucr)[1])
