import time

import pytest

from service.doctor.clock import _kept, _state, look_at_clock
from service.doctor.finding import Level
from service.doctor.history import History


def history(seconds_ago: float) -> History:
    return History({}, None, None, 0, round(1000 * (time.time() - seconds_ago)))


@pytest.mark.parametrize(
    ("seconds_ago", "held", "level", "said"),
    [
        (10, True, Level.OK, "the newest is 10 s old"),
        (300, False, Level.OK, "the newest is 5 minutes old"),
        (50 * 3600, True, Level.WARN, "the newest is 2 days old, though the service is running"),
        (50 * 3600, False, Level.OK, "the newest is 2 days old"),
        (-7260, True, Level.WARN, "the newest is 2 hours ahead of this host's clock"),
    ],
)
def test_the_newest_reading_agrees_with_this_hosts_clock_or_not(
    seconds_ago: float, held: bool, level: Level, said: str
) -> None:
    _, finding = look_at_clock(history(seconds_ago), held)
    assert (finding.level, finding.said) == (level, said)


def test_without_readings_only_the_clock_is_looked_at() -> None:
    assert [finding.subject for finding in look_at_clock(None, held=True)] == ["clock"]
    nothing = History({"main": 0}, None, None, 4096)
    assert [finding.subject for finding in look_at_clock(nothing, held=True)] == ["clock"]


def test_the_kernel_says_whether_something_keeps_the_clock_right() -> None:
    assert _state() in {-1, 0, 1, 2, 3, 4, 5}
    assert [_kept(state).level for state in (0, 5, -1)] == [Level.OK, Level.WARN, Level.OK]


def test_readings_that_came_too_late_are_told_with_what_mends_it() -> None:
    found = History({}, None, None, 0, late={"main": 1200})
    _, finding = look_at_clock(found, held=True)
    assert finding.level is Level.WARN
    assert finding.said == "1,200 of main came too late to be used since the service started"
    assert "monitors.main.lateness_s" in str(finding)
