from math import erfc, log, sqrt

import numpy as np
import pytest

from models.benchmark.floors import WINDOW, windowed_gaussian

RATE = 0.001


def test_the_score_is_the_tail_of_the_values_before_over_the_budget() -> None:
    values = np.array([1.0, 3.0, 2.0, 4.0])[:, None]
    mean, deviation = 2.0, np.std([1.0, 3.0, 2.0])
    expected = log(erfc((4.0 - mean) / deviation / sqrt(2)) / 2) / log(RATE)
    assert windowed_gaussian(values, RATE)[3] == pytest.approx(expected)


def test_a_value_as_rare_as_alarms_may_be_scores_one() -> None:
    past = np.random.default_rng(0).normal(size=5000)
    far = past.mean() + 3.0902 * past.std()  # the quantile of 0.001
    assert windowed_gaussian(np.append(past, far)[:, None], RATE)[-1] == pytest.approx(1.0, abs=1e-3)


def test_only_the_window_counts() -> None:
    values = np.random.default_rng(0).normal(size=(WINDOW + 2, 1))
    changed = values.copy()
    changed[0] = 1000.0
    assert windowed_gaussian(values, RATE)[-1] == pytest.approx(windowed_gaussian(changed, RATE)[-1])
    assert windowed_gaussian(values, RATE)[-2] != pytest.approx(windowed_gaussian(changed, RATE)[-2])


def test_the_first_row_and_missing_values_score_nothing_and_the_highest_channel_counts() -> None:
    values = np.random.default_rng(0).normal(size=(50, 2))
    values[30] = np.nan
    values[40] = [0.0, 50.0]
    score = windowed_gaussian(values, RATE)
    assert (score[[0, 30]] == 0).all()
    assert score[2:].argmax() == 38  # the second row is judged by a single one
