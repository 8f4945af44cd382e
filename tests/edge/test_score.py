import numpy as np
import pytest

from edge.score import LEAST_SPREAD, MEMORY_SLOTS, Scorer
from edge.state import Records, record_dtype


def records(spread: float = 0.5, width: float = 1.0, missed: int = 0) -> Records:
    made = np.zeros(1, record_dtype(2, 0))
    made["spread"], made["width"], made["missed"] = spread, width, missed
    return made


def reach(limit: float, made: Records) -> list[float]:
    scorer = Scorer(limit)
    numbers: list[float] = scorer.reach(scorer.unit(made), made)[0].tolist()
    return numbers


def test_the_band_is_limit_times_spread() -> None:
    assert reach(4.0, records()) == [2.0, 2.0]


def test_the_band_is_as_many_times_wider_as_the_forecaster_says() -> None:
    made = records()
    made["width"] = [[3.0, 0.1]]
    assert reach(4.0, made) == pytest.approx([6.0, 0.2])


def test_the_band_widens_with_the_root_of_the_slots_bridged() -> None:
    assert reach(4.0, records(missed=8)) == [6.0, 6.0]


def test_the_band_of_a_channel_at_rest_is_not_nothing() -> None:
    assert reach(4.0, records(spread=0, width=0.01)) == pytest.approx([4 * LEAST_SPREAD] * 2)


def test_the_greatest_share_is_the_score_and_names_its_channel() -> None:
    error = np.array([[0.5, -3.0], [np.nan, 1.0], [np.nan, np.nan]], np.float32)
    score, channel = Scorer(1.0).score(error, np.full((3, 2), 2.0, np.float32))
    assert score.tolist() == [1.5, 0.5, 0.0]
    assert channel.tolist() == [1, 1, 0]


def test_shares_are_the_parts_of_all_that_surprised() -> None:
    error = np.array([[0.5, -1.5], [np.nan, 1.0], [np.nan, np.nan]], np.float32)
    share = Scorer(1.0).share(error, np.full((3, 2), 2.0, np.float32))
    assert share.tolist() == [[0.25, 0.75], [0.0, 1.0], [0.5, 0.5]]


def test_the_share_of_an_only_channel_is_all() -> None:
    assert Scorer(1.0).share(np.array([[0.0], [np.nan]], np.float32), np.ones((2, 1), np.float32)).tolist() == [
        [1],
        [1],
    ]


def test_the_spread_follows_the_errors_and_one_surprise_moves_it_little() -> None:
    made = records(spread=1.0)
    Scorer(1.0).learn(np.array([[0.0, 1000.0]], np.float32), made)
    assert made["spread"][0].tolist() == pytest.approx([1 - 1 / MEMORY_SLOTS, 1 + 2 / MEMORY_SLOTS])


def test_a_missing_error_teaches_nothing() -> None:
    made = records(spread=1.0)
    Scorer(1.0).learn(np.array([[np.nan, 1.0]], np.float32), made)
    assert made["spread"][0].tolist() == [1.0, 1.0]
