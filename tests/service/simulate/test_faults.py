import itertools

import pytest

from service.simulate.faults import PERIOD_MS, Fault, Kind, fault_of

FAULTS = [fault_of(1, 4, period) for period in range(600_000, 600_060)]


def test_the_faults_of_a_seed_are_always_the_same() -> None:
    assert fault_of(1, 4, 600_000) == FAULTS[0]
    assert [fault_of(2, 4, period) for period in range(600_000, 600_060)] != FAULTS


def test_all_kinds_come_in_turn_and_every_pump_has_its_share() -> None:
    assert {fault.kind for fault in FAULTS[:6]} == set(Kind)
    assert {fault.pump for fault in FAULTS} == {0, 1, 2, 3}


def test_each_is_mended_well_before_the_next() -> None:
    for before, after in itertools.pairwise(FAULTS):
        assert after.start - before.end > 8 * 60_000
        assert before.end < (before.start // PERIOD_MS + 1) * PERIOD_MS


def test_only_sensors_have_a_channel() -> None:
    assert {fault.kind for fault in FAULTS if fault.channel is None} == {Kind.LEAK, Kind.WEAR, Kind.SILENCE}


@pytest.mark.parametrize(("kind", "half"), [(Kind.WEAR, 0.5), (Kind.STUCK, 1.0)])
def test_wear_grows_and_what_is_stuck_is_so_at_once(kind: Kind, half: float) -> None:
    fault = Fault(kind, 0, None, 1000, 1000 + 25 * 60_000)
    assert fault.grown(999) == fault.grown(fault.end) == 0
    assert fault.grown(1000 + 10 * 60_000) == pytest.approx(half, abs=0.01)
    assert fault.grown(fault.end - 1) == 1
