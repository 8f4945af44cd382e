from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge.agreement import Agreement, agreement
from edge.bundle import GOLDEN, Bundle
from edge.golden import read_golden
from edge.reading import Change, Verdicts

MakeBundle = Callable[..., Bundle]


@pytest.fixture
def verdicts(make_bundle: MakeBundle) -> Verdicts:
    """Return verdicts on 40 slots of which the 31st is an anomaly, with an alarm over slots 30 to 33."""
    _, _, found = read_golden(make_bundle().files[GOLDEN], GOLDEN)
    score, alarm, change = np.full(40, 0.5, np.float32), np.zeros(40, np.int64), np.zeros(40, np.uint8)
    score[30], alarm[30:34], change[30] = 2.0, 7, Change.OPENED
    return replace(found, score=score, alarm=alarm, change=change)


def test_the_same_verdicts_agree(verdicts: Verdicts) -> None:
    assert agreement(verdicts, verdicts) == Agreement(slots=40, same_side=1.0, alarms=1, missed=0)
    assert agreement(verdicts, verdicts).holds()


def test_a_slot_on_the_other_side_of_the_limit_counts(verdicts: Verdicts) -> None:
    score = verdicts.score.copy()
    score[3], score[4] = 1.0, np.nan
    found = agreement(verdicts, replace(verdicts, score=score))
    assert found.same_side == 38 / 40
    assert not found.holds()
    assert found.holds(0.95)
    assert str(found) == "95.00% of 40 slots on the same side of the limit, 0 of 1 alarms missed"


def test_an_alarm_is_missed_unless_one_is_open_in_some_slot_of_it(verdicts: Verdicts) -> None:
    late, never = verdicts.alarm.copy(), np.zeros_like(verdicts.alarm)
    late[:33] = 0
    assert agreement(verdicts, replace(verdicts, alarm=late)).missed == 0
    found = agreement(verdicts, replace(verdicts, alarm=never))
    assert found.missed == 1
    assert not found.holds()


def test_nothing_judged_is_no_agreement(verdicts: Verdicts) -> None:
    nothing = replace(verdicts, score=np.full(40, np.nan, np.float32), change=np.zeros(40, np.uint8))
    assert not agreement(nothing, nothing).holds()
