import numpy as np
import pytest
from numpy.typing import NDArray

from edge import lift
from edge.lift import HIGHEST, LOWEST, STEP
from edge.reading import Change
from edge.state import Records
from tests.conftest import records_of

PER_SLOT = 0.01


def take(made: Records, change: Change, *, judged: bool = True, alarm: int = 0) -> None:
    made["alarm"] = alarm
    lift.follow(made, np.full(len(made), judged), np.full(len(made), change, np.uint8), PER_SLOT)


def test_an_alarm_lifts_the_limit_by_a_step_and_a_quiet_slot_lowers_it_by_its_share() -> None:
    made = records_of()
    take(made, Change.OPENED, alarm=7)
    assert made["lift"][0] == np.float32(STEP)
    take(made, Change.NONE)
    assert made["lift"][0] == pytest.approx(STEP - STEP * PER_SLOT)


@pytest.mark.parametrize(("judged", "alarm"), [(True, 7), (False, 0)])
def test_it_stays_while_an_alarm_is_open_and_where_nothing_was_judged(judged: bool, alarm: int) -> None:
    made = records_of()
    made["lift"] = 0.25
    take(made, Change.NONE, judged=judged, alarm=alarm)
    assert made["lift"][0] == 0.25


def test_it_has_bounds() -> None:
    made = records_of()
    for _ in range(100):
        take(made, Change.OPENED, alarm=7)
    assert made["lift"][0] == HIGHEST
    for _ in range(2000):
        take(made, Change.NONE)
    assert made["lift"][0] == LOWEST


def test_what_it_has_counted_is_told_as_a_share_of_the_budget() -> None:
    made = records_of(3)
    made["judged"], made["raised"] = [99, 100, 400], [1, 1, 2]
    np.testing.assert_array_equal(lift.achieved(made, PER_SLOT), np.array([np.nan, 1.0, 0.5], np.float32))


def test_without_a_budget_there_is_no_share_of_it() -> None:
    made = records_of()
    made["judged"] = 1000
    assert np.isnan(lift.achieved(made, 0.0)).all()


def alarms(scale: float, limit: float, slots: int) -> NDArray[np.float64]:
    """Return the share of slots that raise an alarm in 100 streams, tenth by tenth; surprises are exponential."""
    random = np.random.default_rng(4)
    made, raised = records_of(100), np.zeros(slots)
    for slot in range(slots):
        opened = random.exponential(scale, 100) > limit + made["lift"]
        lift.follow(made, np.ones(100, bool), opened * np.uint8(Change.OPENED), PER_SLOT)
        raised[slot] = opened.mean()
    shares: NDArray[np.float64] = raised.reshape(10, -1).mean(axis=1)
    return shares


@pytest.mark.parametrize("scale", [0.3, 0.4343, 0.7])
def test_alarms_come_at_the_rate_of_the_budget_whatever_the_noise(scale: float) -> None:
    shares = alarms(scale, limit=2.0, slots=10_000)  # right for the second of the three
    assert shares[1:].mean() == pytest.approx(PER_SLOT, rel=0.1)


def test_alarms_and_budget_differ_by_no_more_than_the_lift_has_changed() -> None:
    random = np.random.default_rng(5)
    made, slots, raised = records_of(), 3000, 0
    for _ in range(slots):
        opened = random.exponential(0.5, 1) > 2.0 + made["lift"]
        lift.follow(made, np.ones(1, bool), opened * np.uint8(Change.OPENED), PER_SLOT)
        raised += int(opened.sum())
    assert LOWEST < made["lift"][0] < HIGHEST
    assert raised - slots * PER_SLOT == pytest.approx(made["lift"][0] / STEP, abs=0.01)
