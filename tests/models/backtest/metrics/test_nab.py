import numpy as np
import pytest

from models.backtest.metrics.nab import PROFILES, STANDARD, Scored, nab_score, rows_of, sigmoid

ROWS = 100
WINDOW = np.array([[50, 60]])


def scored(*detections: int, windows: np.ndarray = WINDOW) -> Scored:
    score = np.zeros(ROWS)
    score[list(detections)] = 1.0
    return rows_of(score, windows)


def s(y: float) -> float:
    return float(2 / (1 + np.exp(5 * y)) - 1)


def test_the_sigmoid_is_cut_beyond_three() -> None:
    assert sigmoid(np.array([-1.0, 0.0, 3.0, 3.1])) == pytest.approx([s(-1), 0, s(3), -1], abs=1e-12)


def test_a_detection_in_the_first_row_of_every_window_is_perfect() -> None:
    for profile in PROFILES:
        assert nab_score([scored(50)], profile, 0.5).score == pytest.approx(100)


def test_saying_nothing_scores_nothing() -> None:
    for profile in PROFILES:
        assert nab_score([scored()], profile, 0.5).score == 0


def test_only_the_earliest_detection_of_a_window_counts_and_a_late_one_counts_less() -> None:
    late = nab_score([scored(55, 58)], STANDARD, 0.5).score
    assert late == pytest.approx(100 * (s(-0.5) / s(-1) + 1) / 2)


def test_a_false_detection_costs_less_shortly_after_a_window() -> None:
    def cost(row: int) -> float:
        return 100 - nab_score([scored(50, row)], STANDARD, 0.5).score

    assert cost(30) == pytest.approx(100 * 0.11 / 2)
    assert cost(62) == pytest.approx(-100 * 0.11 * s(3 / 9) / 2)
    assert cost(95) == pytest.approx(100 * 0.11 / 2)


def test_the_profiles_weigh_misses_and_false_detections() -> None:
    two = np.array([[30, 40], [50, 60]])
    standard, few_false, few_missed = (nab_score([scored(50, 80, windows=two)], each, 0.5).score for each in PROFILES)
    false = s(21 / 9)
    assert standard == pytest.approx(100 * (1 - 1 + 0.11 * false + 2) / 4)
    assert few_false == pytest.approx(100 * (1 - 1 + 0.22 * false + 2) / 4)
    assert few_missed == pytest.approx(100 * (1 - 2 + 0.11 * false + 4) / 6)


def test_nothing_counts_in_the_probation() -> None:
    assert nab_score([scored(3, 14, 50)], STANDARD, 0.5).score == pytest.approx(100)
    assert len(rows_of(np.zeros(10_000), WINDOW).score) == 10_000 - 750


def test_the_best_threshold_is_found() -> None:
    score = np.zeros(ROWS)
    score[[20, 50, 52, 80]] = 0.6, 0.8, 0.9, 0.7
    best = nab_score([rows_of(score, WINDOW)], STANDARD)
    assert best.score == pytest.approx(100)
    assert best.threshold == 0.8
    tries = [nab_score([rows_of(score, WINDOW)], STANDARD, each).score for each in np.unique(score)]
    assert max(tries) == pytest.approx(best.score)


def test_where_nothing_helps_the_best_threshold_is_one_that_nothing_reaches() -> None:
    assert nab_score([scored(20)], STANDARD) == nab_score([scored(20)], STANDARD, np.inf)


def test_a_window_of_one_row_is_found_in_it() -> None:
    one = np.array([[50, 51]])
    assert nab_score([scored(50, windows=one)], STANDARD, 0.5).score == pytest.approx(100)
    assert nab_score([scored(50, 51, windows=one)], STANDARD, 0.5).score == pytest.approx(100 - 100 * 0.11 / 2)


def test_without_windows_there_is_no_score() -> None:
    assert np.isnan(nab_score([scored(windows=np.zeros((0, 2), np.intp))], STANDARD, 0.5).score)
