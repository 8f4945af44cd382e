import numpy as np

from edge.manifest import Channel
from models.data.slots import Slots


def add(slots: Slots, *cells: tuple[int, int, float]) -> int:
    slot, channel, value = zip(*cells, strict=True)
    return slots.add(10 * np.array(slot), np.array(channel, np.int16), np.array(value))


def test_the_first_reading_of_a_channel_in_a_slot_stays_over_calls() -> None:
    slots = Slots((Channel("a"), Channel("b")), 10)
    assert add(slots, (100, 1, 5.0), (100, 0, 1.0), (100, 0, 2.0), (101, 0, 3.0)) == 3
    assert add(slots, (101, 0, 4.0), (101, 1, 6.0)) == 1
    assert slots.first == 100
    np.testing.assert_array_equal(slots.close(), [[1, 5], [3, 6]])


def test_the_array_grows_and_what_did_not_come_is_nan() -> None:
    slots, random = Slots((Channel("a"),), 10), np.random.default_rng(0)
    expected = np.full(5000, np.nan)
    for first in range(0, 5000, 37):
        slot = np.flatnonzero(random.random(min(37, 5000 - first)) < 0.3) + first
        if slot.size:
            slots.add(10 * (1000 + slot), np.zeros(len(slot), np.int16), slot.astype(float))
            expected[slot] = slot
    values = slots.close()[:, 0]
    begin = slots.first - 1000
    np.testing.assert_array_equal(values, expected[begin : begin + len(values)])
    assert np.isnan(expected[begin + len(values) :]).all()


def test_slots_are_filled_as_the_engine_fills_them() -> None:
    channels = (Channel("flow", aggregate="mean"), Channel("meter", counter=True, aggregate="last"))
    slots = Slots(channels, 10_000)
    time = np.array([0, 0, 4000, 5000, 5000, 10_000, 14_000])
    channel = np.array([0, 1, 0, 0, 1, 0, 1], np.int16)
    assert slots.add(time, channel, np.array([1.0, 100.0, 3.0, 5.0, 110.0, 7.0, 3.6])) == 7
    np.testing.assert_allclose(slots.close(), [[3.0, 2.0], [7.0, 0.4]])
