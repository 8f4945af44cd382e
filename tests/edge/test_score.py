import numpy as np
import pytest

from edge import score
from edge.score import LEAST_SPREAD, MOST_SURPRISE, SPREAD_SLOTS
from edge.state import Records
from tests.conftest import records_of


def records(spread: float = 0.5, width: float = 1.0, missed: int = 0) -> Records:
    made = records_of(channels=2)
    made["spread"], made["width"], made["missed"] = spread, width, missed
    return made


def usual(made: Records) -> list[float]:
    numbers: list[float] = score.usual(score.unit(made), made)[0].tolist()
    return numbers


def test_the_usual_error_is_the_spread() -> None:
    assert usual(records()) == [0.5, 0.5]


def test_the_usual_error_is_as_many_times_wider_as_the_forecaster_says() -> None:
    made = records()
    made["width"] = [[3.0, 0.1]]
    assert usual(made) == pytest.approx([1.5, 0.05])


def test_the_usual_error_widens_with_the_root_of_the_slots_bridged() -> None:
    assert usual(records(missed=8)) == [1.5, 1.5]


def test_the_usual_error_of_a_channel_at_rest_is_not_nothing() -> None:
    assert usual(records(spread=0, width=0.01)) == pytest.approx([LEAST_SPREAD] * 2)


def test_shares_are_the_parts_of_all_errors() -> None:
    ratio = np.array([[0.5, 1.5], [0.0, 1.0], [0.0, 0.0]], np.float32)
    assert score.share(ratio).tolist() == [[0.25, 0.75], [0.0, 1.0], [0.5, 0.5]]


def test_the_share_of_an_only_channel_is_all() -> None:
    assert score.share(np.array([[0.0], [7.0]], np.float32)).tolist() == [[1], [1]]


def test_the_spread_follows_the_errors_and_one_surprise_moves_it_little() -> None:
    made = records(spread=1.0)
    score.learn(np.array([[0.0, 1000.0]], np.float32), np.ones((1, 2), bool), made)
    assert made["spread"][0].tolist() == pytest.approx([1 - 1 / SPREAD_SLOTS, 1 + (MOST_SURPRISE - 1) / SPREAD_SLOTS])


def test_an_error_that_is_not_usable_teaches_nothing() -> None:
    made = records(spread=1.0)
    score.learn(np.array([[np.nan, 3.0]], np.float32), np.array([[False, False]]), made)
    assert made["spread"][0].tolist() == [1.0, 1.0]
