import numpy as np
import pytest

from edge import score
from edge.score import LEAST_SPREAD, MOST_SURPRISE, SPREAD_SLOTS
from edge.state import Records
from tests.conftest import REFERENCE, records_of


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


def test_the_band_reaches_to_what_alone_is_worth_the_limit() -> None:
    rare, excess, rate = REFERENCE.rare[0], REFERENCE.excess[0], REFERENCE.rate[0]
    limit = np.array([-np.log10(rate), 3.0, 0.0], np.float32)
    reach = score.reach(limit, records_of(3))
    assert reach.tolist() == pytest.approx([rare, rare + excess * np.log(10) * (3 + np.log10(rate)), rare])


def test_shares_are_the_parts_of_all_errors() -> None:
    ratio = np.array([[0.5, 1.5], [0.0, 1.0], [0.0, 0.0]], np.float32)
    assert score.share(ratio).tolist() == [[0.25, 0.75], [0.0, 1.0], [0.5, 0.5]]


def test_the_share_of_an_only_channel_is_all() -> None:
    assert score.share(np.array([[0.0], [7.0]], np.float32)).tolist() == [[1], [1]]


def test_the_spread_follows_the_errors_and_one_surprise_moves_it_little() -> None:
    made = records(spread=1.0)
    score.learn(np.array([[0.0, 1000.0]], np.float32), made)
    assert made["spread"][0].tolist() == pytest.approx([1 - 1 / SPREAD_SLOTS, 1 + (MOST_SURPRISE - 1) / SPREAD_SLOTS])


def test_a_missing_error_teaches_nothing() -> None:
    made = records(spread=1.0)
    score.learn(np.array([[np.nan, 1.0]], np.float32), made)
    assert made["spread"][0].tolist() == [1.0, 1.0]
