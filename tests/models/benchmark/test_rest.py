import numpy as np

from models.benchmark.rest import MUTED, muted_unless_highest, spaced


def test_an_event_counts_when_it_begins_and_where_it_grows() -> None:
    score = np.array([0.1, 0.2, 0.9, 0.9, 0.5, 0.95, 0.3])
    counts = muted_unless_highest(score, rest=4) == score
    assert counts.tolist() == [True, True, True, False, False, True, False]


def test_an_event_counts_again_after_the_rest() -> None:
    score = np.array([0.9, 0.0, 0.0, 0.0, 0.6])
    assert muted_unless_highest(score, rest=4)[-1] == MUTED * 0.6
    assert muted_unless_highest(score, rest=3)[-1] == 0.6


def test_without_a_rest_all_count() -> None:
    score = np.array([0.9, 0.8])
    assert muted_unless_highest(score, rest=0).tolist() == score.tolist()


def test_what_comes_later_does_not_matter() -> None:
    score = np.random.default_rng(0).uniform(size=300)
    changed = np.concatenate([score[:200], 1 - score[200:]])
    assert (muted_unless_highest(score, 40)[:200] == muted_unless_highest(changed, 40)[:200]).all()


def test_marks_are_spaced_from_the_last_one_kept() -> None:
    marks = np.array([True, True, False, True, True])
    time = np.array([0, 30, 45, 60, 90]) * 1000
    assert spaced(marks, time, 60_000).tolist() == [True, False, False, True, False]
