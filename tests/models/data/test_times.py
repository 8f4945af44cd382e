from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from edge.state import NEVER
from models.data.times import Clock


def read(values: list[Any], zone: str = "UTC", channels: list[int] | None = None) -> list[int]:
    column, zeros = pd.Series(values), np.zeros(len(values), np.int64)
    times: list[int] = Clock(zone).read(column, zeros, zeros if channels is None else np.array(channels)).tolist()
    return times


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_offsets_may_be_mixed_in_one_file() -> None:
    times = [
        "2024-03-31T01:30:00+01:00",
        "2024-03-31 03:30:00+0200",
        "2024-03-31T02:00:00Z",
        "2024-03-31T02:30:00.250Z",
    ]
    assert read(times) == [
        ms("2024-03-31T00:30+00:00"),
        ms("2024-03-31T01:30+00:00"),
        ms("2024-03-31T02:00+00:00"),
        ms("2024-03-31T02:30+00:00") + 250,
    ]


def test_a_time_without_an_offset_is_of_the_zone() -> None:
    assert read(["2024-07-01T12:00", "2024-07-01 12:00:00+00:00", "2024-12-01"], "Europe/Rome") == [
        ms("2024-07-01T10:00+00:00"),
        ms("2024-07-01T12:00+00:00"),
        ms("2024-11-30T23:00+00:00"),
    ]


@pytest.mark.parametrize("start", [1_700_000_000, 1_700_000_000_000, "1700000000", "1700000000000", 1_700_000_000.0])
def test_numbers_are_seconds_or_milliseconds_by_their_size(start: Any) -> None:
    assert read([start]) == [1_700_000_000_000]


def test_the_hour_that_comes_twice_is_told_by_the_order() -> None:
    wall = ["2024-10-27T02:00", "2024-10-27T02:30", "2024-10-27T02:00", "2024-10-27T02:30", "2024-10-27T03:00"]
    assert np.diff(read(wall, "Europe/Rome")).tolist() == [1_800_000] * 4


@pytest.mark.parametrize("minutes", [[0, 30], [0]])
def test_several_channels_at_one_time_are_not_the_hour_come_twice(minutes: list[int]) -> None:
    once = [f"2024-10-27T02:{minute:02}" for minute in minutes for _ in "ab"]
    channels = [0, 1] * len(minutes)
    times = read([*once, *once, "2024-10-27T03:00"], "Europe/Rome", [*channels, *channels, 0])
    step = 3_600_000 // len(minutes)
    assert np.diff(times).tolist() == [*[0, step] * (2 * len(minutes))]


def test_a_channel_that_is_silent_meanwhile_does_not_take_the_hour_back() -> None:
    wall = ["2024-10-27T02:00", "2024-10-27T02:30", "2024-10-27T02:00", "2024-10-27T02:15"]
    assert np.diff(read(wall, "Europe/Rome", [0, 0, 0, 1])).tolist() == [1_800_000, 1_800_000, 900_000]


def test_the_hour_that_comes_twice_is_told_for_each_device_and_over_blocks() -> None:
    clock, zero = Clock("Europe/Rome"), np.zeros(1, np.int64)
    first = clock.read(pd.Series(["2024-10-27T02:30"]), zero, zero)
    other = clock.read(pd.Series(["2024-10-27T02:30"]), zero + 1, zero + 1)
    second = clock.read(pd.Series(["2024-10-27T02:30"]), zero, zero)
    assert (other == first).all()
    assert (second - first).tolist() == [3_600_000]


def test_a_time_in_the_hour_that_is_skipped_can_not_be_read() -> None:
    assert read(["2024-03-31T02:30"], "Europe/Rome") == [NEVER]


@pytest.mark.parametrize("wrong", ["yesterday", None, "", "12", "2024-13-01T00:00"])
def test_what_is_no_time_can_not_be_read(wrong: Any) -> None:
    assert read([wrong, "2024-01-01T00:00Z"])[0] == NEVER


@pytest.mark.parametrize("wrong", [12, -5, float("nan"), 9e15])
def test_a_number_far_from_now_is_no_time(wrong: float) -> None:
    assert read([wrong, 1_700_000_000])[0] == NEVER


def test_time_columns_of_parquet_are_read() -> None:
    stamps = pd.Series(pd.to_datetime(["2024-07-01T12:00", "2024-07-01T12:10"]))
    zero = np.zeros(2, np.int64)
    naive = Clock("Europe/Rome").read(stamps, zero, zero)
    aware = Clock("UTC").read(stamps.dt.tz_localize("Europe/Rome"), zero, zero)
    assert naive.tolist() == aware.tolist() == [ms("2024-07-01T10:00+00:00"), ms("2024-07-01T10:10+00:00")]
