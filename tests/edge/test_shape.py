import numpy as np
import pytest
from numpy.typing import NDArray

from edge import shape
from edge.shape import SEGMENT, SEGMENTS, WINDOW, segments_of
from edge.state import Records
from tests.conftest import bytes_of, records_of

REACH = WINDOW * SEGMENT  # slots of a window


def watch(values: NDArray[np.floating], made: Records) -> NDArray[np.float32]:
    """Feed values (T, C), or (T,) of one channel, to one stream and return its shapes (T,)."""
    shapes = []
    for row in values.reshape(len(values), 1, -1).astype(np.float32):
        told = shape.distance(row, made)
        shape.remember(row, told, made)
        shapes.append(told[0])
    return np.array(shapes)


def one(channels: int = 1) -> Records:
    return records_of(channels=channels, segments=SEGMENTS)


def wave(slots: int) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * np.arange(slots) / 40)


def test_the_distance_is_that_of_the_nearest_window_which_the_last_does_not_touch() -> None:
    values = np.random.default_rng(1).normal(size=(400, 2))
    told = watch(values, one(channels=2))[-1]
    segments = values.reshape(-1, SEGMENT, 2).mean(axis=1)
    last = segments[-WINDOW:]
    distances = []
    for begin in range(len(segments) - 2 * WINDOW):
        apart = segments[begin : begin + WINDOW] - last
        distances.append(np.sqrt(np.mean((apart - apart.mean(axis=0)) ** 2)))
    assert told == pytest.approx(min(distances), abs=2e-3)  # segments are kept in half precision


def test_a_course_that_was_seen_before_has_no_shape_at_whatever_level() -> None:
    values = wave(480)
    values[400:] += 8.0
    told = watch(values, one())
    assert told[REACH * 3 : 400].max() < 0.01
    assert told[400 + REACH :].max() < 0.02


def test_a_course_never_seen_stands_out_until_it_was_seen_once() -> None:
    values = wave(600)
    values[300:340] = values[500:540] = 0.0
    told = watch(values, one())
    assert told[300:350].max() > 0.3
    assert told[500:550].max() < 0.1 * told[300:350].max()


def test_the_shape_stays_until_the_next_segment_is_full() -> None:
    told = watch(np.random.default_rng(2).normal(size=400), one())
    changes = np.flatnonzero(np.diff(told)) + 1
    assert changes.size > 20
    assert (changes % SEGMENT == SEGMENT - 1).all()


def test_there_is_no_shape_before_there_is_a_window_to_compare_with() -> None:
    told = watch(np.random.default_rng(3).normal(size=400), one())
    first = int(np.flatnonzero(told)[0])
    assert 2 * REACH <= first <= 3 * REACH


def test_no_window_reaches_over_an_interruption() -> None:
    made = one()
    noise = np.random.default_rng(4).normal(size=800)
    watch(noise[:600], made)
    shape.interrupt(made, np.ones(1, bool))
    told = watch(noise[600:], made)
    assert (told[: REACH - 1] == 0).all()
    assert (told[REACH:] > 0).all()


def test_what_is_older_than_the_course_is_forgotten() -> None:
    made = one()
    values = np.concatenate([np.linspace(0, 9, 60) ** 2, np.zeros(SEGMENT * SEGMENTS), np.linspace(0, 9, 60) ** 2])
    assert watch(values, made)[-1] > 1
    assert len(made["course"][0]) == SEGMENTS


def test_a_huge_value_leaves_the_others_comparable() -> None:
    values = wave(800)
    values[300] = 1e30
    told = watch(values, one())
    assert np.isfinite(told).all()
    assert told[300 : 300 + REACH].max() > 1e3
    assert told[400:].max() < 0.05


def test_a_streams_shape_does_not_depend_on_the_streams_beside_it() -> None:
    count, generator = 300, np.random.default_rng(5)
    made = records_of(count, segments=SEGMENTS)
    made["course"] = generator.normal(size=(count, SEGMENTS, 1))
    made["segment_slots"] = SEGMENT - 1
    made["course"][7, 100] = np.nan
    values = generator.normal(size=(count, 1)).astype(np.float32)
    together = shape.distance(values, made)
    for rows in ([0], [7], [5, 299], list(range(3, 200))):
        assert shape.distance(values[rows], made.take(np.array(rows))).tobytes() == together[rows].tobytes()


def test_reading_changes_nothing() -> None:
    made = one()
    watch(wave(203), made)
    before = bytes_of(made)
    shape.distance(np.ones((1, 1), np.float32), made)
    assert bytes_of(made) == before


def test_a_course_is_remembered_only_where_there_is_enough_to_calibrate_on() -> None:
    assert segments_of(shape.LEAST_SLOTS - 1) == 0
    assert segments_of(shape.LEAST_SLOTS) % WINDOW == 0
