from dataclasses import replace

import numpy as np
import pytest

from models.benchmark.running import ALARMS_PER_ROW, Contender, budget_of, judge
from models.benchmark.series import Rows
from models.spec import ForecasterSpec, TrainingSpec

TRAIN, ROWS, JUMP = 300, 600, 500
AR = Contender("ar", ForecasterSpec("ar", lookback=6), TrainingSpec(stretch=16))
MLP = Contender("mlp", ForecasterSpec("mlp", units=4, lookback=6), TrainingSpec(epochs=2, stretch=16))


def rows(channels: int = 1, jump: float = 8.0) -> Rows:
    """Return a cycle with noise that jumps at row JUMP for five rows."""
    noise = np.random.default_rng(0).normal(0, 0.1, (ROWS, channels))
    values = np.sin(2 * np.pi * np.arange(ROWS)[:, None] / 50 + np.arange(channels)) + noise
    values[JUMP : JUMP + 5] += jump
    return Rows(values, TRAIN)


@pytest.mark.slow
@pytest.mark.parametrize("contender", [AR, MLP, Contender("windowed_gaussian")], ids=lambda each: each.family)
def test_a_jump_raises_an_alarm_and_what_comes_later_changes_nothing_before(contender: Contender) -> None:
    whole = judge("a", rows(2), contender).outcome
    assert whole.score[JUMP] >= 1
    assert whole.alarm[JUMP : JUMP + 5].any()
    assert not whole.alarm[TRAIN:JUMP].any()
    later = rows(2)
    later.values[JUMP + 3 :] = np.random.default_rng(1).normal(50, 9, later.values[JUMP + 3 :].shape)
    changed = judge("a", later, contender).outcome
    for name in ("score", "alarm"):
        assert (getattr(whole, name)[: JUMP + 3] == getattr(changed, name)[: JUMP + 3]).all()
    assert (whole.score[JUMP + 3 :] != changed.score[JUMP + 3 :]).any()


def test_rows_in_which_nothing_is_score_nothing_and_the_others_are_judged() -> None:
    gaps = rows(2)
    gaps.values[400:403] = np.nan
    gaps.values[420, 0] = np.nan
    judged = judge("a", gaps, AR)
    assert judged.note == ""
    assert (judged.outcome.score[400:403] == 0).all()
    assert np.isfinite(judged.outcome.error[420])
    assert judged.outcome.score[JUMP] >= 1


def test_the_first_rows_after_a_long_gap_are_not_compared_with_those_before_it() -> None:
    turned = rows(jump=0.0)
    turned.values[TRAIN:] = -turned.values[TRAIN - 15 : ROWS - 15]  # from one end of the range to the other
    assert judge("a", turned, AR).outcome.score[TRAIN] >= 1
    gap = np.full((100, 1), np.nan)
    apart = replace(turned, values=np.concatenate([turned.values[:TRAIN], gap, turned.values[TRAIN:]]))
    score = judge("a", apart, AR).outcome.score[TRAIN + 100 :]
    assert (score[: AR.spec.lookback] == 0).all()
    assert (score[AR.spec.lookback :] < 1).all()


@pytest.mark.slow
def test_the_forecaster_never_sees_more_than_the_rows_learnt_from() -> None:
    calm, wild = rows(jump=0.0), rows(jump=0.0)
    wild.values[TRAIN:] *= 100
    one, other = judge("a", calm, MLP).outcome, judge("a", wild, MLP).outcome
    assert (one.score[:TRAIN] == other.score[:TRAIN]).all()


@pytest.mark.slow
def test_a_time_of_day_is_no_input_where_the_rows_learnt_from_span_no_day() -> None:
    contender = replace(AR, spec=replace(AR.spec, calendar=True))
    without = replace(AR, spec=replace(AR.spec, calendar=False))
    assert (judge("a", rows(), contender).outcome.score == judge("a", rows(), without).outcome.score).all()
    start = np.datetime64("2020-01-01T00:00")
    stamps = [str(each) for each in start + np.arange(ROWS) * np.timedelta64(5, "m")]
    timed = replace(rows(), stamps=stamps)
    assert (judge("a", timed, contender).outcome.score != judge("a", timed, without).outcome.score).any()


def test_a_series_too_short_for_the_family_is_judged_by_the_last_value() -> None:
    short = Contender("ar", ForecasterSpec("ar", lookback=200), TrainingSpec())
    judged = judge("a", rows(), short)
    assert judged.note.startswith("judged by the last value: a: expected at least 534 slots")
    assert judged.outcome.score[JUMP] >= 1


def test_a_series_too_short_for_anything_scores_nothing() -> None:
    judged = judge("a", replace(rows(), train=20), AR)
    assert judged.note.startswith("all scores are 0: a: expected at least 64 slots")
    assert (judged.outcome.score == 0).all()
    assert len(judged.outcome.score) == ROWS


@pytest.mark.slow
def test_a_series_at_rest_is_judged() -> None:
    still = rows(jump=0.0)
    still.values[:] = 7.0
    still.values[JUMP] = 8.0
    judged = judge("a", still, MLP)
    assert judged.note == ""
    assert (judged.outcome.score[:JUMP] < 1).all()
    assert judged.outcome.score[JUMP] >= 1


@pytest.mark.parametrize("interval_ms", [1000, 300_000])
def test_the_budget_is_the_same_for_each_row_whatever_the_interval(interval_ms: int) -> None:
    assert budget_of(interval_ms).per_slot(interval_ms) == pytest.approx(ALARMS_PER_ROW)
