"""For any readings the engine raises nothing, stays finite, and does not care how they are cut or when it ticks."""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.day import bins_of
from edge.engine import Engine
from edge.manifest import AGGREGATES, GAPS, Channel
from edge.reading import Readings, Verdicts
from edge.shape import WINDOW
from edge.state import NEVER
from tests.conftest import START_MS, LastValue, manifest_of

INTERVALS = st.sampled_from([1000, 60_000])  #: ms; a day is remembered in the longer
PER_SLOT = 0.01  #: alarms
ALL = np.arange(3, dtype=np.int32)  #: the rows of all streams
FINITE = (
    *("memory", "forecast", "width", "location", "scale", "spread", "held", "pace", "rhythm", "longest"),
    *("peak", "level", "new_mean", "new_level", "new_noise", "sustained", "typical", "rare", "rate", "excess", "lift"),
    *("segment", "shape"),
)
OR_UNKNOWN = ("least", "most", "day", "kept", "course")  #: NaN before the first value


def engine_of(channels: tuple[Channel, ...], lateness_ms: int = 0, interval_ms: int = 1000) -> Engine:
    bins, segments = bins_of(interval_ms), 3 * WINDOW
    manifest = manifest_of(*channels, interval_ms=interval_ms, burn_in=2, day_bins=bins, segments=segments)
    scaling = replace(manifest.scaling, low=(-10.0, -10.0), high=(10.0, 10.0))
    engine = Engine(replace(manifest, scaling=scaling), LastValue(), PER_SLOT, lateness_ms=lateness_ms)
    engine.add(["known", "new", "newer"])
    return engine


CHANNEL = st.builds(
    Channel,
    name=st.just("any"),
    aggregate=st.sampled_from(AGGREGATES),
    counter=st.booleans(),
    gap=st.sampled_from(GAPS),
    most=st.sampled_from([None, 40.0]),
)
CHANNELS = st.tuples(CHANNEL, CHANNEL).map(lambda both: (both[0], replace(both[1], name="other")))
VALUE = st.one_of(
    st.sampled_from([0.0, 1.0, 2.0, 3.0]),
    st.floats(-3, 3),
    st.sampled_from([np.nan, np.inf, -np.inf, 1e300, -1e99, 1e99, 50.0, 2000.0, 1e-300]),
)
TIME = st.one_of(
    st.integers(0, 60_000),
    st.integers(0, 40).map(lambda quarter: 250 * quarter),  # several in one slot
    st.integers(-2000, 200_000),
    st.integers(1_430_000, 1_500_000),  # where an interval is a minute, the day after
    st.sampled_from([-START_MS, 2**62, 4_000_000_000_000 - START_MS, 86_400_000, -(2**62)]),
)
READING = st.tuples(st.integers(0, 2), st.integers(0, 1), TIME, VALUE)
RELAXED = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def batch_of(rows: list[tuple[int, int, int, float]], interval_ms: int = 1000) -> Readings:
    """Return the readings of (stream, channel, time, value), the time being told in thousandths of an interval."""
    stream, channel, offset, value = (np.array(column) for column in zip(*rows, strict=True))
    return Readings(stream.astype(np.int32), channel.astype(np.int16), _times(offset, interval_ms), value.astype(float))


def _times(offset: NDArray[np.int64], interval_ms: int) -> NDArray[np.int64]:
    near = np.abs(offset) < 10_000_000
    return START_MS + np.where(near, offset * (interval_ms // 1000), offset).astype(np.int64)


def split(batch: Readings, cuts: list[int]) -> list[Readings]:
    edges = sorted({0, len(batch), *(cut for cut in cuts if cut < len(batch))})
    return [batch.take(np.arange(a, b)) for a, b in pairwise(edges)]


def ordered(parts: list[Verdicts]) -> Verdicts:
    whole = Verdicts.concatenate(parts)
    return whole.take(np.lexsort((whole.time, whole.stream)))


def assert_same(expected: Verdicts, got: Verdicts) -> None:
    for field in fields(Verdicts):
        np.testing.assert_array_equal(getattr(expected, field.name), getattr(got, field.name), field.name)


@RELAXED
@given(
    channels=CHANNELS,
    rows=st.lists(READING, min_size=1, max_size=150),
    cuts=st.lists(st.integers(0, 150), max_size=8),
    lateness=st.sampled_from([0, 0, 3]),
    interval_ms=INTERVALS,
)
def test_nothing_breaks_it_and_batches_do_not_matter(
    channels: tuple[Channel, ...],
    rows: list[tuple[int, int, int, float]],
    cuts: list[int],
    lateness: int,
    interval_ms: int,
) -> None:
    batch = batch_of(rows, interval_ms)
    whole, cut = (engine_of(channels, lateness * interval_ms, interval_ms) for _ in range(2))
    expected = ordered([whole.feed(batch)])
    got = ordered([cut.feed(part) for part in split(batch, cuts)])
    assert_same(expected, got)
    assert whole.ignored == cut.ignored
    assert whole.table.to_bytes(ALL) == cut.table.to_bytes(ALL)
    records = whole.table.gather(ALL)
    for name in FINITE:
        assert np.isfinite(records[name]).all(), name
    for name in OR_UNKNOWN:
        assert not np.isinf(records[name]).any(), name
    keys = np.stack([expected.stream, expected.time])
    assert len(np.unique(keys, axis=1).T) == len(expected)


@RELAXED
@given(
    channels=CHANNELS,
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 90_000), st.sampled_from([0.0, 1.0, 5.0])),
        min_size=1,
        max_size=150,
        unique_by=lambda row: row[:3],
    ),
    delays=st.lists(st.integers(0, 4000), min_size=150, max_size=150),
    interval_ms=INTERVALS,
)
def test_any_order_within_the_bound_gives_the_verdicts_of_the_sorted_readings(
    channels: tuple[Channel, ...], rows: list[tuple[int, int, int, float]], delays: list[int], interval_ms: int
) -> None:
    batch = batch_of(rows, interval_ms)
    bound, end = 4 * interval_ms, START_MS + 200 * interval_ms
    in_time, shuffled = engine_of(channels, 0, interval_ms), engine_of(channels, bound, interval_ms)
    arrival = batch.time + np.array(delays[: len(batch)]) * (interval_ms // 1000)
    by_time = np.lexsort((batch.channel, batch.time))
    expected = ordered([in_time.feed(batch.take(by_time)), in_time.tick(end)])
    late = batch.take(np.argsort(arrival, kind="stable"))
    got = ordered([shuffled.feed(part) for part in split(late, [7, 50])] + [shuffled.tick(end + bound)])
    assert shuffled.ignored.late == in_time.ignored.late
    assert_same(expected, got)


@RELAXED
@given(
    channels=CHANNELS,
    rows=st.lists(READING, min_size=1, max_size=150),
    ticks=st.lists(st.tuples(st.integers(0, 150), st.integers(0, 3000)), max_size=12),
    lateness=st.sampled_from([0, 2]),
    interval_ms=INTERVALS,
)
def test_it_does_not_matter_when_it_ticks(
    channels: tuple[Channel, ...],
    rows: list[tuple[int, int, int, float]],
    ticks: list[tuple[int, int]],
    lateness: int,
    interval_ms: int,
) -> None:
    batch = batch_of(sorted(rows, key=lambda row: row[2]), interval_ms)
    batch = batch.take((batch.time > START_MS - 10 * interval_ms) & (batch.time < START_MS + 1800 * interval_ms))
    quiet, ticking = (engine_of(channels, lateness * interval_ms, interval_ms) for _ in range(2))
    end = START_MS + 1900 * interval_ms
    expected = ordered([quiet.feed(batch), quiet.tick(end)])
    parts, fed, cuts = [], 0, sorted(ticks)
    for part in split(batch, [at for at, _ in cuts]):
        parts.append(ticking.feed(part))
        fed += len(part)
        doubts = ticking.table.field("doubt_time", np.arange(3, dtype=np.int32)) != NEVER  # they may follow yet
        if cuts and fed < len(batch) and not doubts.any():
            wanted = int(part.time[-1]) + cuts[0][1] * (interval_ms // 1000)
            parts.append(ticking.tick(min(wanted, int(batch.time[fed]))))
    assert_same(expected, ordered([*parts, ticking.tick(end)]))
    assert quiet.table.to_bytes(ALL) == ticking.table.to_bytes(ALL)


def test_a_tick_before_anything_came_says_nothing() -> None:
    engine = engine_of((Channel("flow"), Channel("heat")))
    assert len(engine.tick(START_MS)) == 0
    assert (engine.table.field("last_slot", np.arange(3, dtype=np.int32)) == NEVER).all()


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0, 0, 1.0), (0, 1, 0, 2.0), (0, 0, 1, 3.0)],
        [(0, 0, 0, 1.0), (0, 1, 0, 2.0), (0, 0, 60_002, 3.0), (0, 0, 1, 4.0), (0, 0, 2, 4.0)],
        [(0, 0, 1000, 1.0), (0, 1, 0, 2.0), (0, 1, 0, 2.0)],
        [(0, 0, 0, 1.0), (0, 0, 60_000, 1.0), (0, 0, 10_000, 1.0), (0, 0, 10_001, 1.0)],
    ],
    ids=["again", "after a clock that was wrong", "late twice", "a leap after a leap that was wrong"],
)
def test_a_slot_that_is_cut_in_two_is_remembered_as_if_it_were_whole(rows: list[tuple[int, int, int, float]]) -> None:
    whole, cut = (engine_of((Channel("flow"), Channel("heat"))) for _ in range(2))
    expected = whole.feed(batch_of(rows))
    assert_same(expected, ordered([cut.feed(batch_of([row])) for row in rows]))
    assert whole.ignored == cut.ignored
    assert whole.table.to_bytes(ALL) == cut.table.to_bytes(ALL)


@pytest.mark.parametrize("size", [3, 64])
def test_a_full_room_does_not_depend_on_batches(size: int) -> None:
    rows = [(0, 0, int(offset), float(k)) for k, offset in enumerate(np.random.default_rng(3).permutation(3000))]
    whole, cut = engine_of((Channel("a"), Channel("b")), 2500), engine_of((Channel("a"), Channel("b")), 2500)
    expected = ordered([whole.feed(batch_of(rows)), whole.tick(START_MS + 10_000)])
    parts = [cut.feed(part) for part in split(batch_of(rows), list(range(0, len(rows), size)))]
    assert_same(expected, ordered([*parts, cut.tick(START_MS + 10_000)]))
    assert whole.early == cut.early > 0
