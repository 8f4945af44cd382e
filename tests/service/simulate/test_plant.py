from itertools import islice

import numpy as np
import pytest

from service.simulate.faults import Kind
from service.simulate.plant import Plant, Slot, demand
from service.simulate.pumps import CHANNELS

INTERVAL_MS = 10_000
DAY_MS = 86_400_000
START = 1_700_000_000_000 // DAY_MS * DAY_MS
HOURS = 10  # in which each kind comes at least twice


def slots(seed: int = 1, has_faults: bool = True, pumps: int = 3) -> list[Slot]:
    return list(islice(Plant(pumps, INTERVAL_MS, seed, has_faults).run(START + 1), HOURS * 360))


SOUND, BROKEN = slots(has_faults=False), slots()


def of(kind: Kind) -> list[Slot]:
    """Return the slots of the first fault of a kind."""
    first = next(slot.fault for slot in BROKEN if slot.fault and slot.fault.kind == kind)
    return [slot for slot in BROKEN if slot.fault == first]


def test_a_slot_is_at_a_multiple_of_the_interval() -> None:
    assert [slot.time for slot in SOUND[:2]] == [START + INTERVAL_MS, START + 2 * INTERVAL_MS]


def test_a_seed_always_gives_the_same_plant_and_another_a_different_one() -> None:
    again, other = slots(), slots(seed=2)
    assert all(np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(BROKEN, again, strict=True))
    assert not np.allclose(BROKEN[0].values, other[0].values, rtol=0.01)


def test_before_the_first_fault_it_makes_no_difference_whether_there_will_be_any() -> None:
    first = next(i for i, slot in enumerate(BROKEN) if slot.fault is not None)
    assert first > 10
    assert all((a.values == b.values).all() for a, b in zip(BROKEN[:first], SOUND, strict=False))
    assert all(slot.fault is None for slot in SOUND)


def test_the_other_pumps_know_nothing_of_a_fault() -> None:
    for sound, broken in zip(SOUND, BROKEN, strict=True):
        others = np.arange(3) != (broken.fault.pump if broken.fault else -1)
        channels = slice(0, 4)  # a bearing stays warm for a while after its fault
        assert (sound.values[others, channels] == broken.values[others, channels]).all()


def test_a_stuck_sensor_says_what_it_said_last() -> None:
    found = of(Kind.STUCK)
    fault = found[0].fault
    assert fault is not None
    assert fault.channel is not None
    said = {float(slot.values[fault.pump, fault.channel]) for slot in found}
    before = BROKEN[BROKEN.index(found[0]) - 1]
    assert said == {float(before.values[fault.pump, fault.channel])}


def test_a_silent_pump_sends_nothing() -> None:
    for slot in of(Kind.SILENCE):
        assert slot.fault is not None
        assert np.isnan(slot.values[slot.fault.pump]).all()
        assert np.isfinite(np.delete(slot.values, slot.fault.pump, axis=0)).all()


def test_spikes_are_few_and_far_off_and_a_drift_grows() -> None:
    sound = {slot.time: slot.values for slot in SOUND}

    def off(kind: Kind) -> np.ndarray:
        return np.array([
            (slot.values - sound[slot.time])[slot.fault.pump, slot.fault.channel] for slot in of(kind) if slot.fault
        ])  # fmt: skip

    spikes, drift = off(Kind.SPIKES), off(Kind.DRIFT)
    assert 0.05 < (spikes > 0).mean() < 0.3
    assert (spikes[spikes == 0] == 0).any()
    assert (np.diff(drift) > -1e-3).all()
    assert drift[-1] > 10 * abs(drift[0])


def test_a_town_wants_most_in_the_morning_and_less_at_weekends() -> None:
    def at(day: int, hour: int) -> float:
        return demand(START + day * DAY_MS + hour * 3_600_000)

    assert at(0, 8) > at(0, 19) > at(0, 13) > at(0, 3)
    sunday = next(day for day in range(7) if at(day, 8) < 0.95 * at((day + 3) % 7, 8))
    assert at(sunday, 3) == pytest.approx(0.93 * at((sunday + 3) % 7, 3))


def test_what_is_broken_within_a_time_is_told() -> None:
    plant = Plant(3, INTERVAL_MS, 1, has_faults=True)
    told = plant.faults_between(START, START + HOURS * 3_600_000)
    seen = list(dict.fromkeys(slot.fault for slot in BROKEN if slot.fault is not None))
    assert told == seen
    assert plant.faults_between(told[0].start + 1, told[0].end) == told[:1]
    assert Plant(3, INTERVAL_MS, 1, has_faults=False).faults_between(START, START + DAY_MS) == []


def test_flow_is_in_cubic_metres_an_hour_and_pressure_in_bar() -> None:
    mean = dict(zip(CHANNELS, np.mean([slot.values for slot in SOUND], axis=(0, 1)).tolist(), strict=True))
    assert 25 < mean["flow"] < 60
    assert 2.5 < mean["pressure"] < 4.5
    assert 3 < mean["power"] < 10
    assert 1 < mean["vibration"] < 2.5
    assert 25 < mean["temperature"] < 55
