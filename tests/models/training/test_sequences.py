from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge.calendar import Calendar
from edge.errors import DataError
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training.sequences import Cutter, Split, input_range, split

SPEC = ForecasterSpec(lookback=4)
TRAINING = TrainingSpec()
WIDE = np.array([-99.0]), np.array([99.0])


def counting(slots: int, missing: tuple[int, ...] = ()) -> Split:
    """Return a split whose scaled values are their rows' numbers."""
    values = np.arange(float(slots))[:, None]
    values[list(missing)] = np.nan
    recording = Recording("a", ("flow",), 600_000, 2_833_488, values)
    return Split(recording, slots * 3 // 4, np.zeros(1), np.ones(1))


def test_the_last_part_is_held_out_and_does_not_touch_the_scaling(make_recording: Callable[..., Recording]) -> None:
    recording = make_recording(slots=200)
    changed = replace(recording, values=np.where(np.arange(200)[:, None] < 150, recording.values, 1e6))
    one, other = split(recording, SPEC, TRAINING), split(changed, SPEC, TRAINING)
    assert one.held_from == 150
    assert (one.location, one.scale) == (other.location, other.scale)
    assert one.scaled[:150].std() == pytest.approx(1)


def test_a_channel_at_rest_is_scaled_by_its_first_move() -> None:
    values = np.full((100, 1), 7.0)
    at_rest = split(Recording("a", ("flow",), 1000, 0, values), SPEC, TRAINING)
    assert not at_rest.scaled.any()
    low, high = input_range([at_rest])
    assert (low.tolist(), high.tolist()) == ([-1.0], [1.0])
    moved = split(Recording("a", ("flow",), 1000, 0, np.where(np.arange(100) < 90, values.T, 7.5).T), SPEC, TRAINING)
    assert moved.scaled[89:91, 0].tolist() == [0.0, 2.0]


def test_too_few_slots_say_how_many_are_needed() -> None:
    short = Recording("pump-1", ("flow",), 10_000, 0, np.zeros((63, 1)))
    with pytest.raises(DataError, match=r"pump-1: expected at least 64 slots of 10000 ms .*lookback 4.*got 63"):
        split(short, SPEC, TRAINING)
    with pytest.raises(DataError, match="expected at least 134 slots"):
        split(short, ForecasterSpec(lookback=50), TRAINING)


def test_a_channel_without_numbers_is_told() -> None:
    values = np.ones((100, 2))
    values[:75, 1] = np.nan
    with pytest.raises(DataError, match="pump-1: heat: expected a number somewhere in the first 75 slots, got none"):
        split(Recording("pump-1", ("flow", "heat"), 10_000, 0, values), SPEC, TRAINING)


def test_every_slot_after_the_burn_in_is_a_target_once() -> None:
    stretches = Cutter(SPEC, *WIDE, "UTC").learnt([counting(40)], stretch=7)
    assert stretches.x.shape[1:] == (3 + 7, 5)
    assert sorted(stretches.target[stretches.weight > 0].tolist()) == list(range(4, 30))
    assert not stretches.weight[:, :3].any()


def test_every_held_out_slot_is_a_target_once() -> None:
    stretches = Cutter(SPEC, *WIDE, "UTC").held_out([counting(40)], stretch=7)
    assert sorted(stretches.target[stretches.weight > 0].tolist()) == list(range(30, 40))


def test_a_target_is_what_comes_after_the_input() -> None:
    stretches = Cutter(SPEC, *WIDE, "UTC").learnt([counting(40)], stretch=7)
    counts = stretches.weight[..., 0, 0] > 0
    np.testing.assert_array_equal(stretches.target[counts][:, 0, 0], stretches.x[counts][:, 0] + 1)


def test_a_longer_horizon_has_its_targets_and_ends_with_the_data() -> None:
    stretches = Cutter(replace(SPEC, horizon=3), *WIDE, "UTC").learnt([counting(16)], stretch=20)
    assert stretches.target[0, 3, :, 0].tolist() == [4, 5, 6]
    assert stretches.weight[0, 8:12, :, 0].tolist() == [[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_calendar_inputs_are_of_the_slot_that_is_forecast() -> None:
    stretches = Cutter(SPEC, *WIDE, "Europe/Rome").learnt([counting(40)], stretch=7)
    next_slot = (2_833_488 + 1 + np.arange(10)) * 600_000
    np.testing.assert_array_equal(stretches.x[0, :, 1:], Calendar("Europe/Rome").inputs(next_slot))


def test_a_missing_value_is_the_last_one_and_no_target() -> None:
    stretches = Cutter(replace(SPEC, calendar=False), *WIDE, "UTC").learnt([counting(40, (6, 7))], stretch=40)
    assert stretches.x[0, 4:9, 0].tolist() == [4, 5, 5, 5, 8]
    assert stretches.weight[0, 4:9, 0, 0].tolist() == [1, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("missing", "first_targets"), [((8, 9, 10, 11), [4, 5, 6, 7, 12]), ((8, 9, 10, 11, 12), [4, 5, 6, 7, 17])]
)
def test_only_a_longer_gap_than_is_bridged_begins_anew(missing: tuple[int, ...], first_targets: list[int]) -> None:
    stretches = Cutter(SPEC, *WIDE, "UTC").learnt([counting(40, missing)], stretch=7)
    assert sorted(stretches.target[stretches.weight > 0].tolist())[:5] == first_targets


def test_inputs_are_held_to_their_range_and_targets_are_not() -> None:
    stretches = Cutter(SPEC, np.array([2.0]), np.array([8.0]), "UTC").learnt([counting(20)], stretch=20)
    assert (stretches.x[..., 0].max(), stretches.target.max(), stretches.last.max()) == (8, 14, 13)


def test_the_range_is_widened_by_twice_its_width_on_each_side() -> None:
    low, high = input_range([counting(41)])
    assert (low.tolist(), high.tolist()) == ([-58.0], [87.0])


def test_nothing_but_gaps_is_told() -> None:
    scattered = tuple(row for row in range(80) if row % 6)
    with pytest.raises(
        DataError, match="a: expected more than 4 slots without a gap of more than 4 in the part learnt from"
    ):
        Cutter(SPEC, *WIDE, "UTC").learnt([counting(80, scattered)], stretch=7)
