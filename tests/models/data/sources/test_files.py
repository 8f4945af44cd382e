import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edge.errors import ConfigError, DataError
from models.data.sources.files import Files
from models.data.sources.layout import Layout
from models.data.sources.source import Block

HEADER = "time,device,flow,heat\n"


def blocks(path: Path, rows: int = 100, device: str | None = "device", zone: str = "UTC") -> list[Block]:
    return list(Files(path, Layout("time", ("flow", "heat"), device, time_zone=zone)).blocks(rows))


def refusal(tmp_path: Path, text: str, rows: int = 100, device: str | None = "device") -> str:
    path = tmp_path / "line.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        blocks(path, rows, device)
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
    assert (first.rows, first.empty, second.rows, second.empty) == (3, 2, 1, 0)
    assert first.readings.stream.tolist() == [0, 0, 1, 0]
    assert first.readings.channel.tolist() == [0, 1, 1, 0]
    assert first.readings.time.tolist() == [1_700_000_000_000, 1_700_000_000_000, 1_700_000_001_000, 1_700_000_010_000]
    assert first.readings.value.tolist() == [1, 2, 2.5, 0.1]
    assert second.readings.stream.tolist() == [2, 2]


def test_without_a_device_column_the_file_is_one_stream(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text(HEADER + "1700000000,b,1,2\n")
    assert blocks(path, device=None)[0].names == ["line"]
    named = Files(path, Layout("time", ("flow",)), "plant/line")
    assert next(named.blocks()).names == ["plant/line"]


def test_a_parquet_file_gives_the_same_as_a_csv_file(tmp_path: Path) -> None:
    csv, parquet = tmp_path / "line.csv", tmp_path / "line.parquet"
    csv.write_text(HEADER + "2024-01-01T00:00Z,b,1,2\n2024-01-01T00:01Z,b,1.25,\n")
    pd.read_csv(csv, parse_dates=["time"]).set_index("time").to_parquet(parquet)
    (one,), (other,) = blocks(csv), blocks(parquet)
    for column in ("stream", "channel", "time", "value"):
        np.testing.assert_array_equal(getattr(one.readings, column), getattr(other.readings, column))


def test_a_missing_file_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a CSV or Parquet file, got nothing of that name"):
        blocks(tmp_path / "none.csv")
    (tmp_path / "notes.txt").write_text("no table")
    with pytest.raises(DataError, match=r"expected a folder with files that end in \.csv, .*, got none"):
        blocks(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two files, whose second begins where the first ends."""
    days = tmp_path / "days"
    days.mkdir()
    (days / "day-1.csv").write_text(HEADER + "1700000000,a,1,2\n1700000001,b,3,4\n")
    with gzip.open(days / "day-2.csv.gz", "wt") as file:
        file.write(HEADER + "1700000060,a,5,6\n")
    return days


def test_files_of_a_folder_are_parts_of_the_streams_that_a_column_tells(folder: Path) -> None:
    first, second = blocks(folder)
    assert (first.names, second.names) == (["a", "b"], ["a", "b"])
    assert second.readings.stream.tolist() == [0, 0]


def test_files_of_a_folder_are_streams_of_their_own_unless_the_one_stream_is_named(folder: Path) -> None:
    assert blocks(folder, device=None)[-1].names == ["day-1", "day-2"]
    one = Files(folder, Layout("time", ("flow",)), "pump")
    assert list(one.blocks())[-1].names == ["pump"]


def test_a_name_for_the_one_stream_and_a_device_column_are_too_much(folder: Path) -> None:
    with pytest.raises(
        ConfigError, match="--stream: expected it only where no column tells streams apart, got 'device'"
    ):
        next(Files(folder, Layout("time", ("flow",), "device"), "pump").blocks())


def test_times_must_not_go_back_from_file_to_file(folder: Path) -> None:
    (folder / "day-3.csv").write_text(HEADER + "1700000030,a,1,2\n")
    with pytest.raises(DataError, match=r"day-3\.csv: row 1: time: expected times in ascending order"):
        blocks(folder)


def test_files_whose_columns_differ_are_told_before_anything_is_read(folder: Path) -> None:
    (folder / "day-3.csv").write_text("time,device,flow\n")
    with pytest.raises(DataError, match=r"day-3\.csv: expected a column 'heat', got 'time', 'device', 'flow'"):
        next(Files(folder, Layout("time", ("flow", "heat"), "device")).blocks())


LONG = "stream,time,channel,value\n"


def test_a_long_table_is_known_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text(LONG + "a,1700000000,heat,2\na,1700000000,hum,wet\na,1700000001,flow,\nb,1700000000,flow,3\n")
    (block,) = blocks(path, device=None)
    assert (block.names, block.rows, block.empty) == (["a", "b"], 3, 1)
    assert block.readings.stream.tolist() == [0, 1]
    assert block.readings.channel.tolist() == [1, 0]
    assert block.readings.value.tolist() == [2, 3]


def test_a_long_table_may_have_a_channel_called_value(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text(LONG + "b,1700000001,value,2\na,1700000000,value,3\n")
    (block,) = Files(path, Layout("time", ("value",))).blocks()
    assert (block.names, block.readings.value.tolist()) == (["b", "a"], [2, 3])


def test_a_wide_table_may_have_columns_as_a_long_one(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text("stream,time,channel,value,flow\na,1700000000,11,0.5,3\n")
    (block,) = Files(path, Layout("time", ("flow",))).blocks()
    assert (block.names, block.readings.value.tolist()) == (["line"], [3])


def test_a_long_table_may_have_columns_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text("at,what,number\n1700000000,heat,2\n1700000000,flow,3\n")
    (block,) = Files(path, Layout("at", ("flow",), None, "what", "number")).blocks()
    assert (block.names, block.rows, block.readings.value.tolist()) == (["line"], 1, [3])


def test_a_long_table_without_the_channel_says_which_there_are(tmp_path: Path) -> None:
    assert refusal(tmp_path, LONG + "a,1700000000,hum,2\n", device=None).endswith(
        "expected at least one row of 'flow' or 'heat', got rows of 'hum'"
    )


def test_an_unknown_device_column_is_told(tmp_path: Path) -> None:
    message = refusal(tmp_path, HEADER + "1,a,2,3\n", device="devise")
    assert message.endswith("expected a column 'devise', got 'time', 'device', 'flow', 'heat'; did you mean 'device'?")


def test_a_compressed_file_that_was_cut_is_told(folder: Path) -> None:
    whole = (folder / "day-2.csv.gz").read_bytes()
    (folder / "day-2.csv.gz").write_bytes(whole[:-12])
    with pytest.raises(DataError, match=r"day-2\.csv\.gz: expected a readable CSV or Parquet file, got:"):
        blocks(folder)


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
