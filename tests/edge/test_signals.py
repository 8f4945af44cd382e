import numpy as np
import pytest
from numpy.typing import NDArray

from edge.calendar import Calendar
from edge.day import Day
from edge.shape import SEGMENTS
from edge.signals import CONTEXT, ERROR, HELD, NOVELTY, SHAPE, SUSTAINED, Signals
from edge.state import SIGNALS, Records
from tests.conftest import START_MS, bytes_of, records_of

SLOTS = 16  #: of the sustained error's mean
AT = np.array([START_MS])
CALM = np.ones(1, bool)


def row(*values: float) -> NDArray[np.float32]:
    return np.array([values], np.float32)


def ranged(channels: int = 2) -> Records:
    made = records_of(channels=channels)
    made["least"], made["most"] = -1.0, 3.0
    return made


def read(ratio: NDArray[np.float32], observed: NDArray[np.float32], made: Records) -> NDArray[np.float32]:
    signals: NDArray[np.float32] = Signals(None, SLOTS).read(ratio, observed, None, made)[0]
    return signals


def test_there_is_a_signal_for_each_name() -> None:
    assert [SIGNALS[k] for k in (ERROR, SUSTAINED, NOVELTY, CONTEXT, SHAPE)] == list(SIGNALS)
    assert read(row(0, 0), row(0, 0), ranged()).tolist() == [0] * len(SIGNALS)


def test_the_error_is_that_of_the_channel_that_misses_most() -> None:
    assert read(row(0.5, 2.5), row(0, 0), ranged())[ERROR] == 2.5


@pytest.mark.parametrize(
    ("observed", "novelty"), [((3.0, -1.0), 0.0), ((4.0, 0.0), 0.25), ((0.0, -5.0), 1.0), ((np.nan, 5.0), 0.5)]
)
def test_novelty_is_how_far_a_value_lies_outside_over_the_width_of_the_range(
    observed: tuple[float, float], novelty: float
) -> None:
    assert read(row(0, 0), row(*observed), ranged())[NOVELTY] == novelty


def test_nothing_is_new_where_nothing_came_or_nothing_is_known() -> None:
    assert read(row(0, 0), row(np.nan, np.nan), ranged())[NOVELTY] == 0
    assert read(row(0, 0), row(7.0, 7.0), records_of(channels=2))[NOVELTY] == 0


def test_the_sustained_error_is_a_running_mean_that_no_single_slot_carries_far() -> None:
    made = ranged()
    made["sustained"] = 1.0
    most = float(HELD * made["rare"][0, ERROR])
    assert read(row(2.0, 0), row(0, 0), made)[SUSTAINED] == pytest.approx(1 + 1 / SLOTS)
    assert read(row(1e6, 0), row(0, 0), made)[SUSTAINED] == pytest.approx(1 + (most - 1) / SLOTS)


def test_many_small_errors_add_up() -> None:
    made, signals = ranged(), Signals(None, SLOTS)
    for _ in range(100):
        told = signals.read(row(3.0, 0.0), row(0, 0), None, made)
        signals.remember(told, row(0, 0), None, made, CALM)
    assert made["sustained"][0] == pytest.approx(3.0, abs=0.01)


def test_reading_remembers_nothing() -> None:
    made = ranged()
    before = bytes_of(made)
    read(row(9.0, 9.0), row(99.0, 99.0), made)
    assert bytes_of(made) == before


def test_what_was_seen_once_is_not_new_again() -> None:
    made, signals = ranged(), Signals(None, SLOTS)
    signals.remember(signals.read(row(0, 0), row(5.0, np.nan), None, made), row(5.0, np.nan), None, made, ~CALM)
    assert (made["least"][0].tolist(), made["most"][0].tolist()) == ([-1.0, -1.0], [5.0, 3.0])
    assert read(row(0, 0), row(5.0, 0.0), made)[NOVELTY] == 0


def test_the_first_value_begins_the_range() -> None:
    made, signals = records_of(channels=2), Signals(None, SLOTS)
    signals.remember(np.zeros((1, len(SIGNALS)), np.float32), row(2.0, np.nan), None, made, CALM)
    assert made["least"][0, 0] == made["most"][0, 0] == 2.0
    assert np.isnan(made["least"][0, 1])


def test_the_context_is_the_distance_from_the_day_before() -> None:
    made = records_of(day_bins=24)
    signals = Signals(Day(24, Calendar("UTC")), SLOTS)
    made["day"][0, :, 0], made["day"][0, :, 1] = -2.0, 2.0
    assert signals.read(row(0.0), row(3.5), signals.today(AT, made), made)[0, CONTEXT] == 1.5
    assert signals.read(row(0.0), row(-2.0), signals.today(AT, made), made)[0, CONTEXT] == 0


def test_the_shape_is_that_of_the_course_and_forecasts_stand_in_for_missing_values() -> None:
    made, signals = records_of(segments=SEGMENTS), Signals(None, SLOTS, has_course=True)
    made["forecast"] = 2.0
    made["segment_slots"], made["shape"] = 1, 0.25
    assert signals.read(row(0.0), row(1.0), None, made)[0, SHAPE] == 0.25
    told = signals.read(row(0.0), row(np.nan), None, made)
    assert told[0, SHAPE] == 0
    signals.remember(told, row(np.nan), None, made, CALM)
    assert (made["segment"][0, 0], made["segment_slots"][0], made["shape"][0]) == (2.0, 2, 0.0)
