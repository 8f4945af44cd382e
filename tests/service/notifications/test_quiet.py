from datetime import UTC, datetime, timedelta

import pytest

from service.notifications.quiet import Allowance, Quiet
from service.notifications.settings import QuietSettings


def at(hour: int, minute: int = 0, day: int = 1, month: int = 7) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_quiet_hours_are_on_the_clock_of_their_zone_and_go_over_midnight() -> None:
    quiet = Quiet(QuietSettings(begin="22:00", end="07:00"), "Europe/Rome")  # UTC+2 in July
    held = [at(minutes // 60, minutes % 60) for minutes in range(0, 1440, 30)]
    assert [time for time in held if not quiet.holds("major", time)] == [
        at(5) + timedelta(minutes=30 * step) for step in range(30)
    ]


def test_quiet_hours_follow_a_change_of_clocks() -> None:
    quiet = Quiet(QuietSettings(begin="02:00", end="04:00"), "Europe/Rome")
    assert not quiet.holds("major", at(0, 30, day=28, month=3))  # 01:30, then the clock leaps to 03:00
    assert quiet.holds("major", at(1, 30, day=28, month=3) + timedelta(days=1))


def test_within_a_day_they_begin_and_end_on_it() -> None:
    quiet = Quiet(QuietSettings(begin="12:00", end="13:00"), "UTC")
    assert [quiet.holds("minor", at(11, 59)), quiet.holds("minor", at(12)), quiet.holds("minor", at(13))] == [
        False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("passes", [True, False])
def test_what_is_critical_passes_if_it_may(passes: bool) -> None:
    quiet = Quiet(QuietSettings(begin="22:00", end="07:00", critical=passes), "UTC")
    assert quiet.holds("critical", at(23)) is not passes
    assert quiet.holds("major", at(23))


def test_without_quiet_hours_nothing_is_held() -> None:
    assert not Quiet(None, "UTC").holds("minor", at(3))


def test_so_many_messages_are_allowed_in_any_hour() -> None:
    allowance = Allowance(2)
    allowance.use(0)
    allowance.use(1000)
    assert (allowance.room(3599), allowance.room(3600), allowance.room(4600)) == (0, 1, 2)
