import numpy as np
import pytest
from numpy.typing import NDArray

from models.benchmark.outcome import Outcome, of_scores
from models.benchmark.turns import LONG, NEAR, turns

ROWS, EVENT = 400, 200


def outcome(factor: float, alarm: bool = True) -> Outcome:
    """Return errors that are so many times as great from row EVENT on, where an alarm opens for ten rows."""
    error = np.random.default_rng(0).uniform(0.2, 0.4, ROWS)
    error[EVENT:] *= factor
    return Outcome(error, error, (np.arange(ROWS) // 10 == EVENT // 10) & alarm)


def rows(of: Outcome) -> NDArray[np.intp]:
    return np.flatnonzero(turns(of))


@pytest.mark.parametrize("factor", [4.0, 0.2])
def test_errors_that_grow_or_shrink_in_an_alarm_are_a_turn(factor: float) -> None:
    found = rows(outcome(factor))
    assert EVENT <= found[0] < EVENT + 5
    assert found[-1] < EVENT + 10 + NEAR


def test_errors_that_stay_as_they_are_make_no_turn() -> None:
    assert rows(outcome(1.0)).size == 0


def test_what_no_alarm_is_near_is_no_turn() -> None:
    assert rows(outcome(4.0, alarm=False)).size == 0


def test_what_comes_later_changes_no_turn_before() -> None:
    whole = outcome(4.0)
    part = Outcome(whole.score[: EVENT + 3], whole.error[: EVENT + 3], whole.alarm[: EVENT + 3])
    np.testing.assert_array_equal(turns(whole)[: EVENT + 3], turns(part))


def test_a_series_that_begins_with_an_alarm_has_nothing_to_turn_from() -> None:
    assert rows(of_scores(np.full(LONG // 2, 3.0))).size == 0
