import numpy as np
import pytest

from models.backtest.metrics.points import score_points


def test_one_found_slot_does_not_find_the_rest_of_its_window() -> None:
    labelled = np.arange(10) >= 6
    points = score_points(np.arange(10) == 7, labelled)
    assert (points.precision, points.recall) == (1, 0.25)
    assert points.f1 == pytest.approx(0.4)


def test_nothing_told_scores_nothing() -> None:
    points = score_points(np.zeros(3, bool), np.array([True, False, False]))
    assert np.isnan(points.precision)
    assert (points.recall, points.f1) == (0, 0)


def test_without_labels_there_is_no_score() -> None:
    assert np.isnan(score_points(np.ones(3, bool), np.zeros(3, bool)).f1)
