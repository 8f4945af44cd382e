import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.align import Aligner, Entries
from edge.manifest import Channel
from edge.reading import Readings
from edge.state import StateTable, new_records, record_dtype

SECOND = 1000
START = 1_700_000_000 * SECOND


def readings(*rows: tuple[int, int, int, float]) -> Readings:
    """Build readings from (stream, channel, seconds after START, value)."""
    stream, channel, second, value = zip(*rows, strict=True)
    return Readings(
        np.array(stream, np.int32),
        np.array(channel, np.int16),
        START + np.array(second, np.int64) * SECOND,
        np.array(value, np.float64),
    )


def table(streams: int, channels: int) -> StateTable:
    new = StateTable(record_dtype(channels, 1))
    new.add(new_records(streams, new.dtype))
    return new


def aligner_of(channels: int, seconds: int) -> Aligner:
    return Aligner([Channel(f"channel-{k}") for k in range(channels)], seconds * SECOND)


def rounds(batch: Readings, state: StateTable, aligner: Aligner) -> list[Entries]:
    return list(aligner.rounds(batch, state))


def test_readings_of_several_streams_make_one_round() -> None:
    aligner = aligner_of(1, 10)
    (entries,) = rounds(readings((1, 0, 3, 7.0), (0, 0, 4, 8.0)), table(2, 1), aligner)
    assert entries.row.tolist() == [0, 1]
    assert entries.slot.tolist() == [START // 10_000, START // 10_000]
    assert entries.value[:, 0].tolist() == [8.0, 7.0]


def test_later_slots_of_a_stream_come_in_later_rounds() -> None:
    aligner = aligner_of(1, 10)
    first, second = rounds(readings((0, 0, 0, 1.0), (1, 0, 0, 2.0), (0, 0, 10, 3.0)), table(2, 1), aligner)
    assert (first.row.tolist(), second.row.tolist()) == ([0, 1], [0])
    assert second.value.tolist() == [[3.0]]


def test_the_first_reading_in_a_slot_is_its_value() -> None:
    aligner = aligner_of(1, 10)
    (entries,) = rounds(readings((0, 0, 0, 1.0), (0, 0, 5, 2.0)), table(1, 1), aligner)
    assert entries.value.tolist() == [[1.0]]
    assert entries.time.tolist() == [[START + 5 * SECOND]]


def test_channels_of_one_slot_make_one_entry() -> None:
    aligner = aligner_of(2, 10)
    (entries,) = rounds(readings((0, 1, 0, 1.0), (0, 0, 0, 2.0)), table(1, 2), aligner)
    assert entries.value.tolist() == [[2.0, 1.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_a_value_that_is_no_measurement_is_counted_as_invalid(value: float) -> None:
    aligner = aligner_of(1, 10)
    assert rounds(readings((0, 0, 0, value)), table(1, 1), aligner) == []
    assert aligner.ignored.invalid == 1


@pytest.mark.parametrize("time", [-1, 0, 5_000_000_000_000, 2**62])
def test_a_time_that_no_clock_should_say_is_counted_as_invalid(time: int) -> None:
    aligner = aligner_of(1, 10)
    batch = readings((0, 0, 0, 1.0))
    batch.time[0] = time
    assert rounds(batch, table(1, 1), aligner) == []
    assert aligner.ignored.invalid == 1


def test_a_reading_no_newer_than_the_newest_of_its_channel_is_a_duplicate() -> None:
    aligner = aligner_of(2, 10)
    state = table(1, 2)
    (entries,) = rounds(readings((0, 0, 5, 1.0), (0, 0, 5, 1.0), (0, 0, 4, 3.0), (0, 1, 4, 4.0)), state, aligner)
    assert entries.value.tolist() == [[1.0, 4.0]]
    assert (aligner.ignored.duplicate, aligner.ignored.conflict) == (2, 0)


def test_another_value_of_the_same_time_is_a_conflict_and_the_first_holds() -> None:
    aligner, state = aligner_of(2, 10), table(2, 2)
    first = [(0, 0, 5, 1.0), (0, 1, 5, 2.0), (1, 0, 5, 2.0)]
    (entries,) = rounds(readings(*first, (0, 0, 5, 2.0), (0, 0, 5, 1.0), (0, 0, 5, 3.0)), state, aligner)
    assert entries.value[:, 0].tolist() == [1.0, 2.0]
    assert (aligner.ignored.conflict, aligner.ignored.duplicate) == (2, 1)


def test_another_value_of_the_time_of_a_leap_is_a_conflict() -> None:
    aligner, state = Aligner([Channel("a")], 10 * SECOND, leap_ms=60 * SECOND), table(1, 1)
    rounds(readings((0, 0, 0, 1.0), (0, 0, 100, 2.0)), state, aligner)
    rounds(readings((0, 0, 100, 3.0), (0, 0, 100, 2.0)), state, aligner)
    assert (aligner.ignored.conflict, aligner.ignored.duplicate) == (1, 1)
    believed = rounds(readings((0, 0, 110, 4.0)), state, aligner)
    assert [entries.value[0, 0] for entries in believed] == [2.0, 4.0]


def test_a_second_reading_of_a_slot_is_neither_late_nor_a_duplicate_of_the_first() -> None:
    aligner, state = aligner_of(1, 10), table(1, 1)
    assert rounds(readings((0, 0, 0, 1.0), (0, 0, 5, 2.0)), state, aligner)[0].value.tolist() == [[1.0]]
    assert (aligner.ignored.late, aligner.ignored.duplicate) == (0, 0)


def test_a_reading_of_an_earlier_slot_is_late() -> None:
    aligner = aligner_of(2, 10)
    (entries,) = rounds(readings((0, 0, 10, 1.0), (0, 1, 5, 2.0)), table(1, 2), aligner)
    assert entries.value[0, 0] == 1.0
    assert np.isnan(entries.value[0, 1])
    assert aligner.ignored.late == 1


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 60), st.floats(-10, 10)),
        min_size=1,
        max_size=40,
    )
)
def test_every_reading_is_in_a_slot_or_counted(rows: list[tuple[int, int, int, float]]) -> None:
    aligner = aligner_of(2, 1)
    entries = rounds(readings(*rows), table(4, 2), aligner)
    cells = sum(int(np.isfinite(part.value).sum()) for part in entries)
    ignored = aligner.ignored
    assert cells + ignored.duplicate + ignored.conflict + ignored.late == len(rows)  # a slot has a second: one reading
    for part in entries:
        assert len(set(part.row.tolist())) == len(part)
