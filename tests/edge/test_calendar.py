from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge.calendar import CALENDAR_INPUTS, Calendar, zone
from edge.errors import ConfigError


def inputs(name: str, *times: datetime) -> np.ndarray:
    return Calendar(name).inputs(np.array([int(t.timestamp() * 1000) for t in times], np.int64))


def test_monday_midnight_is_where_day_and_week_begin() -> None:
    monday = inputs("UTC", datetime(2022, 3, 21, tzinfo=UTC))
    np.testing.assert_allclose(monday, [[0, 1, 0, 1]], atol=1e-6)
    assert len(CALENDAR_INPUTS) == monday.shape[1]


def test_noon_is_opposite_to_midnight() -> None:
    midnight, noon = inputs("UTC", datetime(2022, 3, 21, tzinfo=UTC), datetime(2022, 3, 21, 12, tzinfo=UTC))
    np.testing.assert_allclose(noon[:2], -midnight[:2], atol=1e-6)


@pytest.mark.parametrize("name", ["Europe/Rome", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize(("month", "day"), [(3, 26), (3, 27), (3, 28), (10, 2), (10, 30), (11, 6), (7, 1)])
def test_local_time_follows_daylight_saving(name: str, month: int, day: int) -> None:
    for hour in range(24):
        at = datetime(2022, month, day, hour, 30, tzinfo=UTC)
        local = at.astimezone(ZoneInfo(name))
        minutes = local.hour * 60 + local.minute
        expected = [np.sin(2 * np.pi * minutes / 1440), np.cos(2 * np.pi * minutes / 1440)]
        np.testing.assert_allclose(inputs(name, at)[0, :2], expected, atol=1e-5)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ConfigError, match="'Europe/Atlantis'"):
        zone("Europe/Atlantis")
