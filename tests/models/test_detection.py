import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edge.bundle import Bundle
from edge.limits import Budget
from edge.table import HEADER
from models.data.sources.files import Files
from models.data.sources.layout import Layout
from models.data.sources.source import Block
from models.detection import run_engine, write_csv

SLOTS = 60


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return two streams of a day's cycle; the first jumps in one slot and misses a value in another."""
    time = np.arange(SLOTS) * 600 + 1_700_092_800
    cycle = 20 + 3 * np.sin(2 * np.pi * np.arange(SLOTS) / 144)
    frames = [
        pd.DataFrame({"time": time, "device": name, "flow": cycle, "heat": 20.0}) for name in ("pump-2", "pump-1")
    ]
    frames[1].loc[40, "flow"] = 90.0
    frames[1].loc[20, "heat"] = np.nan
    return pd.concat(frames, ignore_index=True)


def blocks(path: Path, rows: int = 1000) -> Iterator[Block]:
    return Files(path, Layout("time", ("flow", "heat"), "device")).blocks(rows)


def text(bundle: Bundle, path: Path, rows: int = 1000) -> str:
    file = io.StringIO()
    write_csv(run_engine(bundle, blocks(path, rows)), file)
    return file.getvalue()


def test_there_is_a_row_for_each_slot_and_channel_by_stream_and_time(
    trained: Bundle, frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "line.csv"
    frame.to_csv(path, index=False)
    lines = text(trained, path).splitlines()
    rows = [line.split(",") for line in lines[1:]]
    assert lines[0] == HEADER
    assert len(rows) == 2 * 2 * SLOTS
    assert [row[:3] for row in rows[:3]] == [
        ["pump-1", "2023-11-16T00:00:00.000Z", "flow"],
        ["pump-1", "2023-11-16T00:00:00.000Z", "heat"],
        ["pump-1", "2023-11-16T00:10:00.000Z", "flow"],
    ]
    assert rows[0][3:] == ["20", "", "", "", "", "learning", "", "1", ""]
    jump = rows[80]
    assert (jump[3], jump[8], jump[9]) == ("90", "anomaly", "2023-11-16T06:40:00.000Z")
    assert float(jump[5]) < float(jump[4]) < float(jump[6]) < 90
    assert float(jump[7]) > 1
    assert rows[41][3] == ""
    assert float(rows[41][4]) > 0


def test_neither_blocks_nor_the_order_of_streams_change_the_rows(
    trained: Bundle, frame: pd.DataFrame, tmp_path: Path
) -> None:
    one, other, parquet = tmp_path / "one.csv", tmp_path / "other.csv", tmp_path / "line.parquet"
    frame.to_csv(one, index=False)
    frame.to_parquet(parquet)
    frame.sort_values("time", kind="stable").to_csv(other, index=False)
    whole = text(trained, one)
    assert text(trained, other) == whole
    assert text(trained, parquet) == whole
    assert text(trained, other, rows=7) == whole


def test_the_summary_counts(trained: Bundle, frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    pd.concat([frame, frame.tail(1)]).to_csv(path, index=False)
    summary = run_engine(trained, blocks(path)).summary()
    assert summary["readings"] == 4 * SLOTS - 1 + 2
    assert summary["ignored"] == {"invalid": 0, "duplicate": 2, "conflict": 0, "late": 0, "clock": 0}
    assert (summary["verdicts"], summary["learning"], summary["streams"]) == (2 * SLOTS, 12, 2)
    assert summary["alarms"] == 1


def test_a_larger_budget_alarms_sooner(trained: Bundle, frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    frame.to_csv(path, index=False)
    strict = run_engine(trained, blocks(path)).verdicts
    loose = run_engine(trained, blocks(path), Budget.parse("10 per day")).verdicts
    judged = np.isfinite(strict.score) & (strict.score > 0)
    assert (loose.score[judged] > strict.score[judged]).all()


def test_names_with_commas_are_quoted(trained: Bundle, frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    frame.replace({"device": {"pump-1": 'hall 1, "west"'}}).to_csv(path, index=False)
    assert text(trained, path).splitlines()[1].startswith('"hall 1, ""west""",2023')
