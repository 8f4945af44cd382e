import json
from pathlib import Path

import pytest

from edge.errors import DataError
from models.backtest.labels import read_labels, windows_of
from models.data.periods import Period


def test_csv_has_windows_of_one_stream_or_of_all(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "stream,start,end,label\na,1970-01-01T00:00:10Z,1970-01-01T00:00:20Z,leak\n,1970-01-02,1970-01-03,\n"
    )
    one, every = read_labels(path, "UTC")
    assert one == Period(10_000, 20_000, "a", "leak")
    assert (every.stream, every.label) == (None, "")
    windows = windows_of([one, every], ["b", "a"])
    assert windows.stream.tolist() == [0, 1, 1]
    assert windows.start.tolist() == [86_400_000, 10_000, 86_400_000]


def test_the_layout_of_nab_is_read_its_ends_within(tmp_path: Path) -> None:
    path = tmp_path / "combined_windows.json"
    window = ["1970-01-02 00:00:00.000000", "1970-01-02 00:05:00.000000"]
    path.write_text(json.dumps({"realKnownCause/pump.csv": [window], "other/fan.csv": []}))
    assert read_labels(path, "UTC") == [Period(86_400_000, 86_700_001, "pump")]
    assert read_labels(path, "Europe/Rome") == [Period(82_800_000, 83_100_001, "pump")]


@pytest.mark.parametrize("text", ["[1]", "{", '{"a.csv": [["noon", "night"]]}', '{"a.csv": [["1970-01-02"]]}'])
def test_json_of_another_layout_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"labels\.json: expected lists of \[start, end\] by file, got: "):
        read_labels(path, "UTC")


def test_windows_of_other_streams_only_are_told() -> None:
    with pytest.raises(DataError, match="--labels: expected windows of a, b, got those of pump-a"):
        windows_of([Period(1, 2, "pump-a")], ["a", "b"])
    assert len(windows_of([Period(1, 2, "pump-a"), Period(1, 2, "b")], ["a", "b"])) == 1
    assert len(windows_of([], ["a", "b"])) == 0
