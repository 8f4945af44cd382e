"""The rollout's pace, and when it stops."""

import pytest

from edge.updates.ledger import State
from service.fleet.rollout import Rollout, Standing

DEVICES = [f"pi-{number}" for number in range(30)]


def order(rollout: Rollout) -> list[str]:
    devices = rollout.due()
    for device in devices:
        rollout.ordered(device, is_silent=False)
    return devices


def test_one_device_begins_and_one_more_follows_for_each_that_has_committed() -> None:
    rollout = Rollout(DEVICES)
    waves = []
    while not rollout.is_over:
        waves.append(order(rollout))
        for device in waves[-1]:
            rollout.note(device, State.COMMITTED, "")
    assert [len(wave) for wave in waves] == [1, 2, 4, 8, 15]
    assert rollout.of(Standing.DONE) == DEVICES


def test_no_more_are_under_way_than_may_be_at_once() -> None:
    rollout = Rollout(DEVICES, at_once=3)
    for device in order(rollout):
        rollout.note(device, State.COMMITTED, "")
    assert len(order(rollout)) == 2
    assert order(rollout) == []
    for device in DEVICES[1:3]:
        rollout.note(device, State.COMMITTED, "")
    assert len(order(rollout)) == 3


@pytest.mark.parametrize("state", [State.FAILED, State.ROLLED_BACK])
def test_the_first_failure_stops_it(state: State) -> None:
    rollout = Rollout(DEVICES)
    (first,) = order(rollout)
    rollout.note(first, state, "too bad")
    assert rollout.is_stopped
    assert rollout.is_over
    assert rollout.due() == []
    assert rollout.said == {first: f"{state}: too bad"}


def test_as_many_failures_as_are_tolerated_do_not_stop_it() -> None:
    rollout = Rollout(DEVICES, tolerated=2)
    for number in range(3):
        assert not rollout.is_stopped
        (device,) = order(rollout)
        assert device == DEVICES[number]
        rollout.note(device, State.FAILED, "")
    assert rollout.is_stopped


def test_a_silent_device_has_its_order_and_is_not_waited_for() -> None:
    rollout = Rollout(DEVICES[:3])
    (first,) = rollout.due()
    rollout.ordered(first, is_silent=True)
    assert rollout.due() == [DEVICES[1]]
    assert not rollout.is_over


def test_a_device_that_is_on_its_way_is_waited_for_when_others_have_failed() -> None:
    rollout = Rollout(DEVICES, tolerated=0)
    for device in DEVICES[:2]:
        rollout.note(device, State.ACTIVE, "")
    rollout.note(DEVICES[0], State.ROLLED_BACK, "")
    assert rollout.is_stopped
    assert not rollout.is_over
    rollout.note(DEVICES[1], State.COMMITTED, "")
    assert rollout.is_over
