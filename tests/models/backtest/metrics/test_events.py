import numpy as np
import pytest

from models.backtest.metrics.events import match
from tests.models.backtest.conftest import spans


def test_an_alarm_that_overlaps_a_window_is_right_and_a_second_one_is_a_repeat() -> None:
    events = match(spans((0, 12, 14), (0, 16, 18), (0, 50, 60), (1, 12, 14)), spans((0, 10, 20), (0, 80, 90)))
    assert events.right.tolist() == [True, True, False, False]
    assert events.repeat.tolist() == [False, True, False, False]
    assert events.found.tolist() == [True, False]
    assert events.false == 2
    assert events.precision == pytest.approx(1 / 3)
    assert events.recall == 0.5
    assert events.f1 == pytest.approx(0.4)
    assert events.median_delay_ms == 2


def test_an_alarm_over_two_windows_finds_both_and_counts_once() -> None:
    events = match(spans((0, 5, 40)), spans((0, 10, 20), (0, 30, 35)))
    assert events.found.all()
    assert (events.precision, events.recall, events.f1) == (1, 1, 1)
    assert events.delay_ms.tolist() == [0, 0]  # it was there before they began


def test_without_alarms_nothing_is_found() -> None:
    events = match(spans(), spans((0, 10, 20)))
    assert np.isnan(events.precision)
    assert (events.recall, events.f1) == (0, 0)
    assert np.isnan(events.median_delay_ms)


def test_without_windows_every_alarm_is_false() -> None:
    events = match(spans((0, 5, 6)), spans())
    assert events.false == 1
    assert np.isnan(events.recall)
    assert np.isnan(events.f1)
