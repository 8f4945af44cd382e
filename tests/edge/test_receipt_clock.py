from collections.abc import Callable

import pytest

from edge import receipt_clock
from edge.payloads.payload import MOST_AHEAD_MS
from edge.receipt_clock import ReceiptClock

NOW, DAY, HOUR = 1_700_000_000_000, 86_400_000, 3_600_000
Set = Callable[[int], None]


@pytest.fixture
def set_host(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Return what sets the host's clock, at which nothing elapses."""

    def set_to(time_ms: int) -> None:
        monkeypatch.setattr(receipt_clock, "time_ns", lambda: time_ms * 1_000_000)

    monkeypatch.setattr(receipt_clock, "monotonic", lambda: 5.0)
    set_to(NOW)
    return set_to


def test_it_follows_the_host_ahead_and_never_back(set_host: Set) -> None:
    clock = ReceiptClock()
    assert clock.now_ms() == NOW
    set_host(NOW + HOUR)
    assert clock.now_ms() == NOW + HOUR
    set_host(0)
    assert clock.now_ms() == NOW + HOUR


def test_it_goes_on_while_the_host_stays_back(set_host: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ReceiptClock()
    set_host(0)
    monkeypatch.setattr(receipt_clock, "monotonic", lambda: 7.5)
    assert clock.now_ms() == NOW + 2500


@pytest.mark.parametrize(("newest", "now"), [(NOW + HOUR, NOW + HOUR), (NOW + MOST_AHEAD_MS, NOW), (NOW - HOUR, NOW)])
def test_it_begins_with_the_newest_reading_only_if_the_host_is_far_behind_it(
    newest: int, now: int, set_host: Set
) -> None:
    del set_host
    clock = ReceiptClock()
    clock.begin(newest)
    assert clock.now_ms() == now


def test_a_host_from_before_its_bundles_has_no_clock_and_that_is_said_once(
    set_host: Set, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ReceiptClock()
    assert clock.is_set(NOW + DAY)
    assert not clock.is_set(NOW + DAY + 1)
    assert not clock.is_set(NOW + DAY + 1)
    assert [record.message for record in caplog.records] == [
        "the clock of this host says 2023-11-14T22:13:20.000Z, which is before the bundles were made "
        "(2023-11-15T22:13:20.001Z): waiting until it is set; the brokers keep what comes meanwhile"
    ]
    set_host(NOW + HOUR)
    assert clock.is_set(NOW + DAY + 1)
