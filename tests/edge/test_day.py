from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.calendar import Calendar
from edge.day import MOST_BINS, Day, bins_of
from edge.state import Records
from tests.conftest import bytes_of, records_of

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MIDNIGHT_MS = 1_700_000_000_000 // DAY_MS * DAY_MS
CALM = np.ones(1, bool)


class Hourly:
    """One stream whose day has 24 bins; times are hours since MIDNIGHT_MS."""

    def __init__(self, zone: str = "UTC") -> None:
        self.day = Day(24, Calendar(zone))
        self.records: Records = records_of(day_bins=24)

    def say(self, hour: float, value: float, *, calm: bool = True, start_ms: int = MIDNIGHT_MS) -> float:
        """Take a value and return how far it lay outside the day before."""
        observed, time = np.array([[value]], np.float32), np.array([start_ms + round(hour * HOUR_MS)])
        today = self.day.today(time, self.records)
        distance = self.day.distance(observed, today)
        self.day.remember(observed, today, self.records, CALM & calm)
        return float(distance[0])

    def ask(self, hour: float, value: float, *, start_ms: int = MIDNIGHT_MS) -> float:
        """Return how far a value would lie outside, remembering nothing."""
        return self.say(hour, value, calm=False, start_ms=start_ms)


@pytest.fixture
def stream() -> Hourly:
    """A stream that said 0 to 23, one an hour, on its first day."""
    hourly = Hourly()
    for hour in range(24):
        hourly.say(hour, hour)
    return hourly


@pytest.mark.parametrize(
    ("interval_ms", "bins"),
    [(59_999, 0), (60_000, MOST_BINS), (300_000, 288), (600_000, 144), (HOUR_MS, 24), (HOUR_MS + 1, 0)],
)
def test_a_day_has_a_bin_a_slot_up_to_a_most(interval_ms: int, bins: int) -> None:
    assert bins_of(interval_ms) == bins


@pytest.mark.parametrize(("value", "distance"), [(9, 0), (11, 0), (10.5, 0), (13, 2), (8.5, 0.5)])
def test_a_value_is_compared_with_yesterday_s_bin_and_its_neighbours(
    stream: Hourly, value: float, distance: float
) -> None:
    for hour in range(24, 34):
        assert stream.say(hour, hour - 24) == 0
    assert stream.say(34, value) == distance


def test_the_bins_about_midnight_are_neighbours(stream: Hourly) -> None:
    for hour in range(24, 48):
        stream.say(hour, hour - 24)
    assert stream.ask(48, 0.5) == 0
    assert stream.ask(48, 23) == 0  # 25 hours ago
    assert stream.ask(48, 24) == 1


def test_today_s_own_values_are_not_what_a_value_is_compared_with(stream: Hourly) -> None:
    assert stream.say(24, 100) == 99
    assert stream.say(24.5, 100) == 99  # in the same bin
    assert stream.say(25, 100) == 98  # the bin before is today's now: yesterday's is kept apart
    assert stream.say(25.5, 100) == 98
    assert stream.say(26, 100) == 97


def test_the_next_day_is_compared_with_this_one(stream: Hourly) -> None:
    for hour in range(24, 48):
        stream.say(hour, 100)
    assert [stream.say(hour, 100) for hour in range(48, 72)] == [0] * 24
    assert stream.say(72, 5) == 95


def test_a_bin_holds_the_least_and_the_greatest_of_its_values() -> None:
    stream = Hourly()
    for minute, value in ((0, 3.0), (10, -4.0), (20, 7.0), (50, 1.0)):
        stream.say(5 + minute / 60, value)
    stream.say(20, 0)
    assert (stream.ask(29, 7.0), stream.ask(29, -4.0), stream.ask(29, 8.0), stream.ask(29, -6.0)) == (0, 0, 1, 2)


def test_without_a_yesterday_nothing_is_far() -> None:
    stream = Hourly()
    assert stream.say(3, 1e6) == 0
    assert stream.say(4, -1e6) == 0


def test_what_is_not_calm_is_not_learnt(stream: Hourly) -> None:
    before = bytes_of(stream.records)
    assert stream.say(34, 500, calm=False) == 489
    assert bytes_of(stream.records) == before


def test_a_value_that_is_missing_changes_nothing_and_is_not_far(stream: Hourly) -> None:
    assert stream.say(30, np.nan) == 0
    assert stream.say(30.5, 7) == 0


def test_after_a_gap_of_a_day_what_was_known_last_is_compared_with(stream: Hourly) -> None:
    assert stream.say(24 + 10, 10) == 0
    assert stream.say(48 + 10, 10) == 0  # the same bin, a day later
    assert stream.ask(48 + 11, 12) == 0
    assert stream.ask(48 + 11, 14) == 2


def test_after_a_gap_of_days_the_bins_between_are_as_they_were(stream: Hourly) -> None:
    assert stream.say(24 * 5 + 12, 20) == 7
    assert stream.say(24 * 5 + 13, 20) == 6
    assert stream.say(24 * 6 + 12, 20) == 0


def test_streams_do_not_touch_each_other() -> None:
    day, made = Day(24, Calendar("UTC")), records_of(2, day_bins=24)
    time = np.array([MIDNIGHT_MS, MIDNIGHT_MS + 3 * HOUR_MS])
    for values, hours in (((1.0, 50.0), 0), ((0.0, 0.0), 12)):
        observed = np.array(values, np.float32)[:, None]
        day.remember(observed, day.today(time + hours * HOUR_MS, made), made, np.ones(2, bool))
    far: NDArray[np.float32] = day.distance(np.array([[9.0], [9.0]], np.float32), day.today(time + DAY_MS, made))
    assert far.tolist() == [8.0, 41.0]


def test_values_beyond_half_precision_stay_finite() -> None:
    stream = Hourly()
    stream.say(3, 1e6)
    stream.say(4, 0)
    assert np.isfinite(stream.records["day"][0, 3]).all()


@pytest.mark.parametrize(("start", "hours"), [("2026-03-28", 23), ("2026-10-24", 25)])
def test_the_day_is_the_local_one_when_clocks_are_changed(start: str, hours: int) -> None:
    rome = ZoneInfo("Europe/Rome")
    start_ms = int(datetime.fromisoformat(start).replace(tzinfo=rome).timestamp() * 1000)
    stream = Hourly("Europe/Rome")

    def wall(hour: int) -> int:
        return datetime.fromtimestamp(start_ms / 1000 + 3600 * hour, rome).hour

    assert wall(24 + hours) == 0
    said = [stream.say(hour, wall(hour), start_ms=start_ms) for hour in range(24 + hours + 24)]
    assert not any(said[24:])
    assert stream.say(24 + hours + 24 + 12, 15, start_ms=start_ms) == 2


def test_the_hour_that_comes_twice_is_one_bin() -> None:
    start_ms = int(datetime.fromisoformat("2026-10-24").replace(tzinfo=ZoneInfo("Europe/Rome")).timestamp() * 1000)
    stream = Hourly("Europe/Rome")
    for hour in range(24):
        stream.say(hour, 0, start_ms=start_ms)
    assert [stream.say(24 + hour, 8, start_ms=start_ms) for hour in (2, 3)] == [8, 8]


def test_where_yesterday_s_own_bin_is_not_known_its_neighbours_tell_nothing() -> None:
    stream = Hourly()
    for hour in range(23):
        stream.say(hour, 100)
    stream.say(23, 0, calm=False)  # an alarm at an edge that comes every day
    assert stream.say(24 + 23, 0) == 0
