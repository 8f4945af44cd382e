from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge.errors import ConfigError
from service.alarms.maintenance import Maintenance, MaintenanceSettings

ROME = ZoneInfo("Europe/Rome")


def ms(*moment: int, fold: int = 0) -> int:
    return int(datetime(*moment, tzinfo=ROME, fold=fold).timestamp() * 1000)  # type: ignore[misc, arg-type]


def maintenance(**settings: Any) -> Maintenance:
    return Maintenance([MaintenanceSettings(**({"time_zone": "Europe/Rome"} | settings))])


def calendar(tmp_path: Path, event: str, **settings: Any) -> Maintenance:
    path = tmp_path / "plant.ics"
    path.write_text(
        "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//plant//", *event.split("\n"), "END:VCALENDAR", ""])
    )
    return maintenance(ics=path, **settings)


def event(*lines: str) -> str:
    return "\n".join(["BEGIN:VEVENT", "UID:1", "DTSTAMP:20240101T000000Z", *lines, "END:VEVENT"])


def test_a_window_holds_from_its_first_millisecond_to_before_its_last() -> None:
    sundays = maintenance(cron="0 2 * * SUN", duration="2h")
    reason = "maintenance: 0 2 * * SUN for 2h"
    assert sundays.reason("a", ms(2026, 3, 1, 2) - 1) is None
    assert sundays.reason("a", ms(2026, 3, 1, 2)) == reason
    assert sundays.reason("a", ms(2026, 3, 1, 4) - 1) == reason
    assert sundays.reason("a", ms(2026, 3, 1, 4)) is None
    assert sundays.reason("a", ms(2026, 3, 2, 3)) is None


def test_what_was_asked_before_does_not_change_the_answer() -> None:
    kept = maintenance(cron="0 2 * * *", duration="2h")
    times = [ms(2026, 3, day, hour) for hour in (1, 2, 3, 4, 23) for day in (9, 2, 30)]
    assert [kept.reason("a", time) for time in times] == [
        maintenance(cron="0 2 * * *", duration="2h").reason("a", time) for time in times
    ]


def test_windows_longer_than_their_period_leave_no_gap() -> None:
    always = maintenance(cron="0 * * * *", duration="3h")
    assert all(always.reason("a", ms(2026, 3, 1, 12, minute)) for minute in range(60))


def test_a_window_is_as_long_in_the_night_of_23_hours_and_in_that_of_25() -> None:
    nightly = maintenance(cron="0 1 * * *", duration="2h")
    for day, end in ((ms(2026, 3, 29, 1), ms(2026, 3, 29, 4)), (ms(2026, 10, 25, 1), ms(2026, 10, 25, 2, fold=1))):
        assert end - day == 2 * 3_600_000
        assert nightly.reason("a", day)
        assert nightly.reason("a", end - 1)
        assert nightly.reason("a", end) is None


def test_a_window_within_the_hour_that_comes_twice_is_there_once() -> None:
    at_night = maintenance(cron="45 2 * * *", duration="30min")
    covered = [minute for minute in range(0, 240, 5) if at_night.reason("a", ms(2026, 10, 25, 1) + minute * 60_000)]
    assert covered == list(range(105, 135, 5))


def test_only_the_streams_that_are_named_are_maintained() -> None:
    pumps = maintenance(cron="* * * * *", streams=["pump-*", "north/fan-[12]"])
    assert [bool(pumps.reason(name, ms(2026, 3, 1, 2))) for name in ("pump-1", "north/fan-2", "fan-1", "PUMP-1")] == [
        True,
        True,
        False,
        False,
    ]


def test_an_event_of_a_calendar_recurs_on_the_clock_of_its_zone(tmp_path: Path) -> None:
    oil = calendar(
        tmp_path,
        event(
            "DTSTART;TZID=Europe/Rome:20260301T020000",
            "DTEND;TZID=Europe/Rome:20260301T040000",
            "RRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20260404T235959Z",
            "EXDATE;TZID=Europe/Rome:20260315T020000",
        ),
    )
    assert oil.reason("a", ms(2026, 3, 8, 3)) == "maintenance: plant.ics"
    assert oil.reason("a", ms(2026, 3, 15, 3)) is None  # excluded
    assert oil.reason("a", ms(2026, 3, 22, 4)) is None
    assert oil.reason("a", ms(2026, 3, 29, 3, 30))
    assert oil.reason("a", ms(2026, 4, 5, 3)) is None  # after UNTIL
    assert oil.reason("a", ms(2026, 3, 1, 2))  # asked out of order
    assert oil.reason("a", ms(2026, 2, 22, 3)) is None


@pytest.mark.parametrize(
    ("lines", "begins", "ends"),
    [
        (("DTSTART:20260301T010000Z", "DURATION:PT90M"), ms(2026, 3, 1, 2), ms(2026, 3, 1, 3, 30)),
        (("DTSTART:20260301T020000", "DTEND:20260301T030000"), ms(2026, 3, 1, 2), ms(2026, 3, 1, 3)),
        (("DTSTART;VALUE=DATE:20260329",), ms(2026, 3, 29), ms(2026, 3, 30)),
        (("DTSTART;VALUE=DATE:20261024", "DTEND;VALUE=DATE:20261026"), ms(2026, 10, 24), ms(2026, 10, 26)),
        (
            ("DTSTART;TZID=W. Europe Standard Time:20260301T020000", "DURATION:PT1H"),
            ms(2026, 3, 1, 2),
            ms(2026, 3, 1, 3),
        ),
        (("DTSTART:20260101T000000Z", "DURATION:PT1H", "RDATE:20260301T010000Z"), ms(2026, 3, 1, 2), ms(2026, 3, 1, 3)),
        (
            ("DTSTART:20260101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"),
            ms(2026, 1, 2, 1),
            ms(2026, 1, 2, 2),
        ),
    ],
)
def test_an_event_is_on_from_its_start_to_its_end(
    tmp_path: Path, lines: tuple[str, ...], begins: int, ends: int
) -> None:
    kept = calendar(tmp_path, event(*lines))
    assert [bool(kept.reason("a", time)) for time in (begins - 1, begins, ends - 1, ends)] == [False, True, True, False]


def test_an_occurrence_that_was_moved_is_where_it_was_moved_to_and_one_called_off_is_not(tmp_path: Path) -> None:
    series = event("DTSTART:20260301T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    moved = event("DTSTART:20260302T100000Z", "DURATION:PT1H", "RECURRENCE-ID:20260302T010000Z")
    off = event("DTSTART:20260303T010000Z", "DURATION:PT1H", "RECURRENCE-ID:20260303T010000Z", "STATUS:CANCELLED")
    kept = calendar(tmp_path, f"{series}\n{moved}\n{off}")
    on = [ms(2026, 3, day, hour) for day, hour in ((1, 2), (2, 11), (4, 2))]
    away = [ms(2026, 3, day, hour) for day, hour in ((2, 2), (3, 2))]
    assert all(kept.reason("a", time) for time in on)
    assert not any(kept.reason("a", time) for time in away)


def test_a_series_goes_on_beyond_what_was_unfolded_at_the_start(tmp_path: Path) -> None:
    kept = calendar(tmp_path, event("DTSTART:20260301T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
    far = datetime(2098, 7, 1, 1, 30, tzinfo=ZoneInfo("UTC"))
    assert kept.reason("a", int(far.timestamp() * 1000))
    assert not kept.reason("a", int((far + timedelta(hours=1)).timestamp() * 1000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no calendar at all", "expected a calendar file (.ics) that can be read, got: "),
        (event("SUMMARY:Oil"), "event 'Oil': expected a DTSTART, got none"),
        (event("DTSTART:soon"), "event '1': expected DTSTART as RFC 5545 has it, got: "),
        (
            event("DTSTART;TZID=Mars/Base:20260301T020000"),
            "event '1': expected a time zone that is known, got 'Mars/Base'",
        ),
        (event("DTSTART:16010101T000000Z"), "event '1': expected a start from 1970 to 2099, got 1601-01-01"),
        (event("DTSTART:20260301T020000Z", "RRULE:FREQ=SECONDLY"), "expected events that recur DAILY, WEEKLY, MONTHLY"),
        (event("DTSTART:20260301T020000Z", "RRULE:FREQ=DAILY;INTERVAL=0"), "expected events that recur DAILY, WEEKLY,"),
        (
            event("DTSTART:20260301T020000Z", "RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"),
            "expected one RRULE an event, got 2",
        ),
        (
            event("DTSTART:20260301T020000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260301T020000Z"),
            "event '1': expected a RECURRENCE-ID of one",
        ),
        (
            event(
                "DTSTART:19700101T000000Z", "DURATION:PT1S", f"RRULE:FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))}"
            ),
            "expected at most 200000 occurrences until",
        ),
        ("BEGIN:VEVENT\nDTSTART:20260301T020000Z", "expected a calendar file (.ics) that can be read, got: "),
    ],
)
def test_a_calendar_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as error:
        calendar(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'plant.ics'}: {expected}")
    assert "\n" not in str(error.value)


def test_a_calendar_that_is_not_there_or_too_large_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone.ics: expected a calendar file \(.ics\), got: No such file"):
        maintenance(ics=tmp_path / "gone.ics")
    (tmp_path / "large.ics").write_bytes(b" " * 5_000_000)
    with pytest.raises(ConfigError, match=r"large.ics: expected a calendar file of at most 4194304 bytes, got 5000000"):
        maintenance(ics=tmp_path / "large.ics")
