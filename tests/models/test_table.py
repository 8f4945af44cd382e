from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edge.errors import ConfigError, DataError
from models.table import Block, Table, read_blocks

HEADER = "time,device,flow,heat\n"


def blocks(path: Path, rows: int = 100, device: str | None = "device", zone: str = "UTC") -> list[Block]:
    return list(read_blocks(Table(path, "time", ("flow", "heat"), device, time_zone=zone), rows))


def refusal(tmp_path: Path, text: str, rows: int = 100) -> str:
    path = tmp_path / "line.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        blocks(path, rows)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message


def test_rows_come_as_they_are_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text(
        HEADER + "1700000000,b,1,2\n1700000001,a,,2.5\n1700000010,b,0.1,\n1700000000,7,4,5\n", encoding="utf-8-sig"
    )
    first, second = blocks(path, 3)
    assert first.names == ["b", "a"]
    assert second.names == ["b", "a", "7"]
    assert first.device.tolist() == [0, 1, 0]
    assert second.device.tolist() == [2]
    assert first.time.tolist() == [1_700_000_000_000, 1_700_000_001_000, 1_700_000_010_000]
    np.testing.assert_array_equal(first.value, [[1, 2], [np.nan, 2.5], [0.1, np.nan]])


def test_without_a_device_column_the_file_is_one_stream(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text(HEADER + "1700000000,b,1,2\n")
    assert blocks(path, device=None)[0].names == ["line"]
    named = Table(path, "time", ("flow",), stream="plant/line")
    assert next(read_blocks(named)).names == ["plant/line"]


def test_a_parquet_file_gives_the_same_as_a_csv_file(tmp_path: Path) -> None:
    csv, parquet = tmp_path / "line.csv", tmp_path / "line.parquet"
    csv.write_text(HEADER + "2024-01-01T00:00Z,b,1,2\n2024-01-01T00:01Z,b,1.25,\n")
    pd.read_csv(csv, parse_dates=["time"]).set_index("time").to_parquet(parquet)
    (one,), (other,) = blocks(csv), blocks(parquet)
    assert one.time.tolist() == other.time.tolist()
    np.testing.assert_array_equal(one.value, other.value)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a CSV or Parquet file, got nothing of that name"):
        blocks(tmp_path / "none.csv")
    with pytest.raises(DataError, match="expected a CSV or Parquet file, got a folder"):
        blocks(tmp_path)


def test_a_missing_column_is_told_with_those_there_and_the_nearest(tmp_path: Path) -> None:
    message = refusal(tmp_path, "time,device,flwo,heat\n1,a,2,3\n")
    assert "expected a column 'flow', got 'time', 'device', 'flwo', 'heat'; did you mean 'flwo'?" in message


def test_an_unreadable_time_is_told_with_its_row_over_blocks(tmp_path: Path) -> None:
    text = HEADER + "2024-01-01T00:00Z,a,1,2\n2024-01-01T00:01Z,a,1,2\nnoon,a,1,2\n"
    assert "row 3: time: expected a time such as" in refusal(tmp_path, text, rows=2)
    assert refusal(tmp_path, text).endswith("got 'noon'")
    assert refusal(tmp_path, HEADER + ",a,1,2\n").endswith("got nothing")


def test_a_time_that_the_zone_skips_is_told(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text(HEADER + "2024-03-31T02:30,a,1,2\n")
    with pytest.raises(DataError, match=r"row 1: time: .*exists in Europe/Rome.*got '2024-03-31T02:30'"):
        blocks(path, zone="Europe/Rome")
    with pytest.raises(ConfigError, match="expected an IANA name"):
        blocks(path, zone="Rome")


@pytest.mark.parametrize("rows", [2, 100])
def test_times_that_go_back_within_a_stream_are_told(tmp_path: Path, rows: int) -> None:
    text = HEADER + "1700000060,a,1,2\n1700000000,b,1,2\n1700000060,a,1,2\n1700000000,a,1,2\n"
    message = refusal(tmp_path, text, rows)
    assert "row 4: time: expected times in ascending order within a stream" in message
    assert "got 2023-11-14T22:13:20.000Z after 2023-11-14T22:14:20.000Z" in message


def test_a_value_that_is_no_number_is_told_with_row_and_column(tmp_path: Path) -> None:
    message = refusal(tmp_path, HEADER + "1700000000,a,1,2\n1700000001,a,1,high\n")
    assert "row 2: heat: expected a number, got 'high'" in message


def test_a_missing_device_is_told(tmp_path: Path) -> None:
    assert "row 1: device: expected a device, got nothing" in refusal(tmp_path, HEADER + "1700000000,,1,2\n")


def test_no_rows_and_an_empty_file_are_told(tmp_path: Path) -> None:
    assert "expected at least one row, got none" in refusal(tmp_path, HEADER)
    assert "expected a readable CSV or Parquet file, got:" in refusal(tmp_path, "")


def test_a_file_that_is_no_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "line.parquet"
    path.write_bytes(b"not a table")
    with pytest.raises(DataError, match="expected a readable CSV or Parquet file, got:"):
        blocks(path)
