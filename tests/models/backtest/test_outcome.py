import numpy as np
import pytest

from models.backtest.judged import Judged, judge
from models.backtest.outcome import outcome
from models.search.task import WEEK_MS
from tests.models.backtest.conftest import spans, verdicts

INTERVAL_MS = WEEK_MS // 100
SLOTS = 100  # a week of each of two streams
TIME = np.tile(np.arange(1, SLOTS + 1) * INTERVAL_MS, 2)
STREAM = np.repeat([0, 1], SLOTS)


def at(slot: int) -> int:
    return slot * INTERVAL_MS


def judged(labelled: bool = True) -> Judged:
    """Return two streams: one right alarm in a window of ten slots, one false one, and a window that is missed."""
    score, alarm = np.zeros(2 * SLOTS), np.zeros(2 * SLOTS, np.int64)
    score[[44, 20]] = 3, 2
    alarm[44:47] = at(45)
    alarm[20] = at(21)
    windows = spans((0, at(41), at(51)), (1, at(61), at(71))) if labelled else None
    return judge(verdicts(TIME, score, STREAM, alarm), INTERVAL_MS, 0, windows)


def test_without_labels_alarms_are_counted() -> None:
    found = outcome("pump/1", judged(labelled=False))
    assert (found.streams, found.slots, found.alarms, found.worth) == (2, 2 * SLOTS, 2, None)
    assert found.alarms_per_week == pytest.approx(1)
    assert "f1" not in found.to_json()


def test_with_labels_alarms_and_scores_are_judged() -> None:
    worth = outcome("pump/1", judged()).worth
    assert worth is not None
    assert (worth.events.precision, worth.events.recall) == (0.5, 0.5)
    assert worth.events.median_delay_ms == 4 * INTERVAL_MS
    assert worth.false_per_week == pytest.approx(100 / 180)
    assert (worth.points.precision, worth.points.recall) == (3 / 4, 3 / 20)
    assert 0 < worth.vus.pr < worth.vus.roc < 1
    assert worth.nab_best["standard"] >= worth.nab["standard"] > 0
    assert worth.nab["low_fp_rate"] < worth.nab["standard"]


def test_the_facts_are_ready_for_json_and_have_no_nan() -> None:
    facts = outcome("pump/1", judged()).to_json()
    assert (facts["windows"], facts["found"], facts["right"], facts["false"], facts["repeats"]) == (2, 1, 1, 1, 0)
    assert facts["median_delay_s"] == 4 * INTERVAL_MS / 1000
    quiet = judge(verdicts(TIME, np.zeros(2 * SLOTS), STREAM), INTERVAL_MS, 0, spans((0, at(41), at(51))))
    silent = outcome("pump/1", quiet).to_json()
    assert (silent["precision"], silent["recall"], silent["f1"], silent["median_delay_s"]) == (None, 0, 0, None)


def test_labels_that_name_no_window_in_the_stretch_leave_scores_unknown() -> None:
    none = judge(verdicts(TIME, np.zeros(2 * SLOTS), STREAM), INTERVAL_MS, 0, spans())
    facts = outcome("pump/1", none).to_json()
    assert (facts["windows"], facts["f1"], facts["vus_pr"], facts["nab"]["standard"]) == (0, None, None, None)
