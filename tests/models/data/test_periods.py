from pathlib import Path

import pytest

from edge.errors import ConfigError, DataError
from models.data.periods import Period, parse_moment, parse_period, read_periods


def test_a_moment_without_an_offset_is_of_the_zone() -> None:
    assert parse_moment("2024-05-01T06:30", "Europe/Rome") == 1_714_537_800_000
    assert parse_moment("2024-05-01T06:30+02:00", "UTC") == 1_714_537_800_000
    assert parse_moment("1970-01-02", "UTC") == 86_400_000


def test_periods_of_all_and_of_one_stream_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.csv"
    path.write_text("stream,start,end,why\n,1970-01-02,1970-01-03,cleaning\npump-1,1970-01-04,1970-01-05,worn\n")
    day = 86_400_000
    assert read_periods(path, "UTC") == [Period(day, 2 * day), Period(3 * day, 4 * day, "pump-1")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2024-05-01", "expected START/END such as .*, got '2024-05-01'"),
        ("noon/2024-05-01", "expected a time such as '2024-05-01T06:30', got 'noon'"),
        ("2024-05-01/2024-05-01", "expected an end after the start"),
    ],
)
def test_what_is_no_period_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_period(text, "UTC")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("start,until\n", r"faults\.csv: expected the columns start and end, got 'start', 'until' without 'end'"),
        ("", "expected the columns start and end, got nothing"),
        ("start,end\n2024-05-01,2024-05-02\n2024-05-03,\n", "row 2: expected a time such as .*, got ''"),
        ("start,end\n2024-05-03,2024-05-02\n", "row 1: expected an end after the start"),
    ],
)
def test_a_file_of_periods_that_cannot_be_read_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "faults.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_periods(path, "UTC")


def test_a_missing_file_of_periods_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: expected a CSV file of periods, got:"):
        read_periods(tmp_path / "none.csv", "UTC")
