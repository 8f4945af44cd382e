import numpy as np
import pytest

from models.backtest.metrics.vus import faded, vus

ONE = np.array([[2, 3]])
HALF = np.sqrt(0.5)


def test_labels_fade_out_over_half_the_buffer_on_both_sides() -> None:
    label = np.array([0, 0, 0, 1.0, 0, 0, 0])
    slope = [np.sqrt(1 - 2 / 4), np.sqrt(1 - 1 / 4)]
    assert faded(label, np.array([[3, 4]]), 4) == pytest.approx([0, *slope, 1, *slope[::-1], 0])


def test_slopes_are_cut_at_the_ends_of_the_data() -> None:
    label = np.array([1.0, 0, 0, 1.0])
    assert faded(label, np.array([[0, 1], [3, 4]]), 2) == pytest.approx([1, HALF, HALF, 1])


def test_slopes_that_overlap_add_up_to_at_most_one() -> None:
    label = np.array([1.0, 0, 1, 0, 0])
    assert faded(label, np.array([[0, 1], [2, 3]]), 2) == pytest.approx([1, 1, 1, HALF, 0])


def test_a_perfect_order_without_a_buffer_scores_one() -> None:
    perfect = vus(np.array([0.1, 0.2, 0.9, 0.3]), ONE, 0)
    assert (perfect.pr, perfect.roc) == (1, 1)


def test_without_a_buffer_it_is_average_precision_and_the_area_under_the_curve() -> None:
    one_false_above = vus(np.array([0.9, 0.2, 0.5, 0.1]), ONE, 0)
    assert one_false_above.pr == pytest.approx(1 / 2)
    assert one_false_above.roc == pytest.approx(2 / 3)


def test_equal_scores_are_one_threshold() -> None:
    same = vus(np.full(4, 0.5), ONE, 0)
    assert same.pr == pytest.approx(1 / 4)
    assert same.roc == pytest.approx(1 / 2)


def test_a_score_beside_the_window_is_worth_something_within_the_buffer() -> None:
    """By hand, L = 2: labels fade to sqrt(1/2) one slot from the window; with l = 0 and 1 there is no slope yet."""
    score = np.array([0.1, 0.9, 0.5, 0.2, 0.3])
    before = (1 / 2, 3 / 4)
    false_rate = (1 - HALF) / (4 - HALF)  # of the highest score, which lies on the slope
    recall = HALF / (1 + HALF)
    pr = recall * HALF + (1 - recall) * (1 + HALF) / 2
    roc = false_rate * recall / 2 + 1 - false_rate
    found = vus(score, ONE, 2)
    assert found.pr == pytest.approx((2 * before[0] + pr) / 3)
    assert found.roc == pytest.approx((2 * before[1] + roc) / 3)


def test_a_window_without_a_high_score_lowers_the_recall_of_the_others() -> None:
    """By hand: at the threshold 0.9 two of three labelled slots are found, but only one window of two."""
    score = np.array([0.9, 0.9, 0, 0.1, 0])
    found = vus(score, np.array([[0, 2], [3, 4]]), 0)
    assert found.pr == pytest.approx((2 / 3) * (1 / 2) + (1 - 1 / 3))


def test_only_one_kind_of_slot_is_refused() -> None:
    for windows in (np.zeros((0, 2), np.intp), np.array([[0, 4]])):
        with pytest.raises(ValueError, match="only one kind"):
            vus(np.zeros(4), windows, 2)
