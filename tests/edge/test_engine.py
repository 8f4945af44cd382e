from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.alarm import AlarmPolicy
from edge.bundle import Bundle
from edge.engine import Engine, open_engine
from edge.errors import BundleError
from edge.limits import Budget
from edge.manifest import Channel, Manifest
from edge.reading import Change, Readings, Status, Verdicts
from edge.runtimes.onnx import OnnxRuntime
from edge.state import SIGNALS
from tests.conftest import INTERVAL_MS, REFERENCE, START_MS, LastValue, MakeBundle, last_value_model, manifest_of

KNOWN = "plant/pump-1"
PER_SLOT = 1e-4  #: alarms
ROW = np.array([0], np.int32)
#: of the four signals only the error is ever surprising
ERROR_ALONE = replace(REFERENCE, typical=(0.7, *(1e6,) * 4), rare=(3.5, *(2e6,) * 4))


def series(values: list[float], row: int = 0, channel: int = 0, first: int = 0) -> Readings:
    """One reading a slot, from slot `first` on; a NaN leaves its slot out."""
    keep = np.isfinite(values)
    count = int(keep.sum())
    return Readings(
        np.full(count, row, np.int32),
        np.full(count, channel, np.int16),
        START_MS + (first + np.flatnonzero(keep)) * INTERVAL_MS,
        np.array(values, float)[keep],
    )


def interleave(*batches: Readings) -> Readings:
    both = Readings.concatenate(list(batches))
    return both.take(np.argsort(both.time, kind="stable"))


@pytest.fixture
def engine(make_bundle: MakeBundle) -> Engine:
    engine = open_engine(make_bundle())
    engine.add([KNOWN])
    return engine


def test_a_stream_is_learnt_before_it_is_judged(engine: Engine) -> None:
    verdicts = engine.feed(series([0.0] * 6))
    assert verdicts.status.tolist() == [Status.LEARNING] * 4 + [Status.NORMAL] * 2
    assert np.isnan(verdicts.score[:4]).all()
    assert verdicts.channel.tolist() == [-1] * 4 + [0] * 2


def test_a_reading_beyond_its_band_scores_more_than_one(engine: Engine) -> None:
    verdicts = engine.feed(series([0.0] * 10 + [50.0]))
    assert verdicts.status[-1] == Status.ANOMALY
    assert verdicts.score[-1] > 1
    assert verdicts.value[-1, 0] > verdicts.upper[-1, 0]
    assert verdicts.alarm[-1] == verdicts.time[-1]
    assert verdicts.change[-1] == Change.OPENED


def by_errors_alone(bundle: Bundle) -> Bundle:
    return replace(bundle, manifest=replace(bundle.manifest, reference=ERROR_ALONE))


def test_the_score_is_one_where_the_value_lies_on_its_band(make_bundle: MakeBundle) -> None:
    engine = open_engine(by_errors_alone(make_bundle()))
    engine.add([KNOWN])
    upper = engine.feed(series([0.0] * 10)).upper[-1, 0]
    verdict = engine.feed(series([float(upper)], first=10))
    assert verdict.score[0] == pytest.approx(1.0, abs=0.01)


def test_what_is_unusual_in_several_ways_scores_more_than_by_its_error_alone(make_bundle: MakeBundle) -> None:
    bundle, scores = make_bundle(), []
    for each in (bundle, by_errors_alone(bundle)):
        engine = open_engine(each)
        engine.add([KNOWN])
        scores.append(float(engine.feed(series([0.0] * 10 + [9.0])).score[-1]))
    assert scores[0] > scores[1] > 0


def test_the_most_surprising_signal_is_named(engine: Engine) -> None:
    engine.feed(series([0.0] * 10))
    verdict = engine.feed(series([3.6], first=10))  # a rare error, yet well within what was seen before
    assert SIGNALS[verdict.signal[0]] == "error"
    engine.feed(series([3.6, 0.0, 3.6, 0.0, 3.6, 0.0], first=11))
    creeping = engine.feed(series([4.0, 4.5, 5.0, 7.0, 9.0, 11.0, 13.0], first=17))
    assert SIGNALS[creeping.signal[-1]] == "novelty"


def test_one_event_gives_one_alarm_that_ends(engine: Engine) -> None:
    values = [0.0] * 10 + [50.0, -50.0, 50.0] + [0.0] * 20
    verdicts = engine.feed(series(values))
    assert (verdicts.change == Change.OPENED).sum() == 1
    assert (verdicts.change == Change.CLOSED).sum() == 1
    alarmed = verdicts.alarm[verdicts.alarm != 0]
    assert set(alarmed.tolist()) == {int(verdicts.time[10])}


def test_what_alarms_is_not_learnt(engine: Engine) -> None:
    before = engine.table.field("spread", ROW).copy()
    engine.feed(series([0.0] * 4))
    engine.feed(series([100.0, -100.0] * 3, first=4))
    assert (engine.table.field("spread", ROW) <= before).all()


def test_a_stream_the_bundle_does_not_know_learns_its_own_scale(make_bundle: MakeBundle) -> None:
    engine = open_engine(make_bundle())
    engine.add(["plant/new"])
    noise = np.random.default_rng(1).normal(1000.0, 5.0, 60)
    verdicts = engine.feed(series(noise.tolist()))
    assert verdicts.status[:12].tolist() == [Status.LEARNING] * 12
    assert Status.LEARNING not in verdicts.status[12:]
    assert engine.table.field("location", ROW)[0, 0] == pytest.approx(noise[:8].mean())
    assert engine.table.field("scale", ROW)[0, 0] == pytest.approx(noise[:8].std())


def test_a_scale_is_learnt_over_a_day_where_days_are_remembered() -> None:
    manifest = manifest_of(Channel("flow"), interval_ms=600_000, burn_in=4, day_bins=144)
    engine = Engine(manifest, LastValue(), PER_SLOT)
    engine.add(["not trained on"])
    slots = np.arange(160)
    batch = series(np.sin(2 * np.pi * slots / 144).tolist())
    verdicts = engine.feed(replace(batch, time=START_MS + slots * 600_000))
    assert verdicts.ready_in[0] == 144 + 4
    assert (verdicts.status == Status.LEARNING).sum() == 144 + 4
    assert engine.table.field("scale", ROW)[0, 0] == pytest.approx(np.sqrt(0.5))


def test_a_missing_channel_does_not_blind_the_others(make_bundle: MakeBundle) -> None:
    engine = open_engine(make_bundle(channels=("flow", "pressure")))
    engine.add([KNOWN])
    both = interleave(series([0.0] * 10), series([0.0] * 10, channel=1))
    engine.feed(both)
    alone = series([0.0, 0.0, 80.0, 0.0], first=10)
    verdicts = engine.feed(alone)
    assert np.isnan(verdicts.value[:, 1]).all()
    assert verdicts.status.tolist() == [Status.NORMAL, Status.NORMAL, Status.ANOMALY]  # the last slot is open still
    assert verdicts.channel[-1] == 0


def test_the_channel_that_deviates_most_is_named(make_bundle: MakeBundle) -> None:
    engine = open_engine(make_bundle(channels=("flow", "pressure")))
    engine.add([KNOWN])
    verdicts = engine.feed(interleave(series([0.0] * 10 + [5.0]), series([0.0] * 10 + [60.0], channel=1)))
    assert verdicts.channel[-1] == 1


def test_the_band_widens_over_missing_slots(engine: Engine) -> None:
    steady = engine.feed(series([0.0] * 10))
    after = engine.feed(series([0.0], first=13))
    width = (steady.upper - steady.lower)[-1, 0]
    assert (after.upper - after.lower)[0, 0] == pytest.approx(width * 2, rel=0.01)  # sqrt(1 + 3 missing)


@pytest.mark.parametrize("width", [0.5, 3.0])
def test_the_band_is_as_wide_as_the_forecaster_says(make_bundle: MakeBundle, width: float) -> None:
    bundle = make_bundle()
    wide = Engine(bundle.manifest, OnnxRuntime(last_value_model(1, width)), PER_SLOT)
    wide.add([KNOWN])
    verdicts = wide.feed(series([0.0] * 10))
    assert wide.table.field("width", ROW)[0, 0] == width
    first, later = (verdicts.upper - verdicts.expected)[[4, 9], 0]
    beyond = REFERENCE.excess[0] * np.log(10) * (wide.limit + np.log10(REFERENCE.rate[0]))
    assert first == pytest.approx((REFERENCE.rare[0] + beyond) * width, rel=0.01)
    assert later == pytest.approx(first, rel=0.02)  # narrower only by what five calm slots teach
    again = wide.feed(series([0.0, 0.0], first=30))
    assert again.status.tolist() == [Status.LEARNING] * 2


def test_the_spread_is_in_the_forecaster_s_widths(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    engine = Engine(bundle.manifest, OnnxRuntime(last_value_model(1, 4.0)), PER_SLOT)
    engine.add([KNOWN])
    engine.feed(series([2.0, -2.0] * 2000))  # errors of 4, one width
    assert engine.table.field("spread", ROW)[0, 0] == pytest.approx(1, abs=0.01)


def test_an_engine_that_does_not_adapt_keeps_its_spreads(make_bundle: MakeBundle) -> None:
    engine = Engine(make_bundle().manifest, OnnxRuntime(last_value_model(1)), PER_SLOT, adapts=False)
    engine.add([KNOWN])
    verdicts = engine.feed(series([2.0, -2.0] * 20))
    assert len(set((verdicts.upper - verdicts.expected)[4:, 0].tolist())) == 1


def test_a_stream_of_a_fixed_scale_learns_none(make_bundle: MakeBundle) -> None:
    manifest = make_bundle().manifest
    fixed = Manifest.from_json(replace(manifest, scaling=replace(manifest.scaling, fixed=True)).to_json())
    engine = Engine(fixed, OnnxRuntime(last_value_model(1)), PER_SLOT)
    engine.add(["plant/new"])
    verdicts = engine.feed(series([0.5] * 5))
    assert verdicts.status.tolist() == [Status.LEARNING] * 4 + [Status.NORMAL]
    assert (engine.table.field("location", ROW)[0, 0], engine.table.field("scale", ROW)[0, 0]) == (0, 1)


def test_too_long_a_gap_starts_the_memory_anew(engine: Engine) -> None:
    engine.feed(series([0.0] * 10))
    verdicts = engine.feed(series([0.0] * 6, first=16))
    assert verdicts.status.tolist() == [Status.LEARNING] * 4 + [Status.NORMAL] * 2


def test_readings_seen_already_change_nothing(engine: Engine) -> None:
    batch = series([0.0] * 10 + [50.0])
    assert len(engine.feed(batch)) == 11
    before = engine.table.to_bytes(ROW)
    assert len(engine.feed(batch)) == 0
    assert engine.table.to_bytes(ROW) == before
    assert engine.ignored.duplicate == 11


@pytest.mark.parametrize("cut", range(5))
@pytest.mark.parametrize("lateness_ms", [0, 3 * INTERVAL_MS])
def test_another_value_of_the_newest_time_is_a_conflict_and_the_first_holds(
    make_bundle: MakeBundle, lateness_ms: int, cut: int
) -> None:
    engine = open_engine(make_bundle(), lateness_ms=lateness_ms)
    engine.add([KNOWN])
    engine.feed(series([0.0] * 9))
    same = [series([value], first=9) for value in (1.0, 2.0, 1.0, 3.0)]
    parts = [engine.feed(Readings.concatenate(part)) for part in (same[:cut], same[cut:]) if part]
    parts += [engine.feed(series([0.0], first=10)), engine.tick(START_MS + 99 * INTERVAL_MS)]
    verdicts = Verdicts.concatenate(parts)
    assert verdicts.value[verdicts.time == START_MS + 9 * INTERVAL_MS].tolist() == [[1.0]]
    assert (engine.ignored.conflict, engine.ignored.duplicate) == (2, 1)


def test_a_stream_moves_as_its_bytes(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    values = [0.0] * 10 + [50.0] + [0.0] * 10
    whole = open_engine(bundle)
    whole.add([KNOWN])
    expected = whole.feed(series(values))

    first = open_engine(bundle)
    first.add([KNOWN])
    head = first.feed(series(values[:12]))
    second = open_engine(bundle)
    second.add([KNOWN])
    second.table.from_bytes(ROW, first.table.to_bytes(ROW))
    tail = second.feed(series(values[12:], first=12))
    assert_equal(expected, Verdicts.concatenate([head, tail]))


def test_the_budget_moves_the_limit_without_training(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    widths = []
    for budget in ("1 per day", "1 per year"):
        engine = open_engine(bundle, Budget.parse(budget))
        engine.add([KNOWN])
        verdicts = engine.feed(series([0.0] * 6))
        widths.append(float((verdicts.upper - verdicts.lower)[-1, 0]))
    assert widths[1] > widths[0]


def test_a_bundle_of_another_state_layout_is_refused(make_bundle: MakeBundle) -> None:

    bundle = make_bundle()
    other = replace(bundle, manifest=replace(bundle.manifest, layout_version=99))
    with pytest.raises(BundleError, match="expected state layout 6, got layout 99"):
        open_engine(other)


def assert_equal(expected: Verdicts, got: Verdicts) -> None:
    for field in fields(Verdicts):
        np.testing.assert_array_equal(getattr(expected, field.name), getattr(got, field.name), field.name)


def by_stream_and_time(verdicts: Verdicts) -> Verdicts:
    return verdicts.take(np.lexsort((verdicts.time, verdicts.stream)))


VALUE = st.one_of(st.floats(-3, 3), st.sampled_from([np.nan, np.inf, -np.inf, 1e300, -1e99, 1e99, 50.0, 0.0]))
READING = st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(-5, 400_000), VALUE)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(READING, min_size=1, max_size=120), cuts=st.lists(st.integers(0, 120), max_size=6))
def test_no_readings_break_it_and_batches_do_not_matter(
    two_channel_bundle: Bundle, rows: list[tuple[int, int, int, float]], cuts: list[int]
) -> None:
    stream, channel, offset, value = (np.array(column) for column in zip(*rows, strict=True))
    batch = Readings(
        stream.astype(np.int32), channel.astype(np.int16), START_MS + offset.astype(np.int64), value.astype(float)
    )
    engines = [open_engine(two_channel_bundle) for _ in range(2)]
    for engine in engines:
        engine.add([KNOWN, "plant/new", "plant/newer"])
    whole = engines[0].feed(batch)
    parts = [engines[1].feed(part) for part in split(batch, cuts)]
    assert_equal(by_stream_and_time(whole), by_stream_and_time(Verdicts.concatenate(parts)))
    everyone = np.arange(3, dtype=np.int32)
    assert engines[0].table.to_bytes(everyone) == engines[1].table.to_bytes(everyone)
    records = engines[0].table.gather(everyone)
    for name in ("memory", "forecast", "location", "scale", "spread", "level", "new_level", "new_noise", "peak"):
        assert np.isfinite(records[name]).all(), name


def split(batch: Readings, cuts: list[int]) -> list[Readings]:
    edges = sorted({0, len(batch), *(cut for cut in cuts if cut < len(batch))})
    return [batch.take(np.arange(a, b)) for a, b in pairwise(edges)]


@pytest.fixture
def two_channel_bundle(make_bundle: MakeBundle) -> Bundle:
    return make_bundle(channels=("flow", "pressure"))


def test_k_of_n_waits_for_company(make_bundle: MakeBundle) -> None:
    engine = open_engine(make_bundle(), policy=AlarmPolicy(k=2, n=3, recovery=2, cool_down=0))
    engine.add([KNOWN])
    verdicts = engine.feed(series([0.0] * 10 + [50.0, 50.0, 0.0, 50.0]))  # up, level, down, up
    assert verdicts.status[10:].tolist() == [Status.ANOMALY, Status.NORMAL, Status.ANOMALY, Status.ANOMALY]
    assert verdicts.change[10:].tolist() == [Change.NONE, Change.NONE, Change.OPENED, Change.NONE]


def watch_two(make_bundle: MakeBundle, policy: AlarmPolicy, flow: float, pressure: float) -> Verdicts:
    """Return the verdict on one slot after ten calm ones, both channels at 0."""
    engine = open_engine(make_bundle(channels=("flow", "pressure")), policy=policy)
    engine.add([KNOWN])
    verdicts = engine.feed(interleave(series([0.0] * 10 + [flow]), series([0.0] * 10 + [pressure], channel=1)))
    return verdicts.take(verdicts.time == verdicts.time.max())


def test_a_deviation_the_policy_does_not_count_has_no_score_and_raises_no_alarm(make_bundle: MakeBundle) -> None:
    verdict = watch_two(make_bundle, AlarmPolicy(direction={"flow": "above"}), flow=-50.0, pressure=0.0)
    assert verdict.score[0] == 0
    assert verdict.status[0] == Status.NORMAL
    assert (verdict.alarm[0], verdict.change[0]) == (0, Change.NONE)


def test_a_deviation_the_policy_does_not_count_hides_no_other(make_bundle: MakeBundle) -> None:
    verdict = watch_two(make_bundle, AlarmPolicy(direction={"flow": "above"}), flow=-90.0, pressure=20.0)
    assert verdict.status[0] == Status.ANOMALY
    assert verdict.change[0] == Change.OPENED


@pytest.mark.parametrize(("flow", "status"), [(29.0, Status.NORMAL), (31.0, Status.ANOMALY)])
def test_a_deviation_below_the_least_raises_no_alarm(make_bundle: MakeBundle, flow: float, status: Status) -> None:
    assert watch_two(make_bundle, AlarmPolicy(least_absolute=30.0), flow, pressure=0.0).status[0] == status


def test_what_the_policy_does_not_count_is_not_learnt_either(make_bundle: MakeBundle) -> None:
    engine = open_engine(make_bundle(), policy=AlarmPolicy(direction="above"))
    engine.add([KNOWN])
    engine.feed(series([0.0] * 10))
    before = engine.table.field("spread", ROW).copy()
    engine.feed(series([-20.0], first=10))
    assert (engine.table.field("spread", ROW) == before).all()


def test_shares_sum_to_one_and_name_who_it_was(make_bundle: MakeBundle) -> None:
    verdict = watch_two(make_bundle, AlarmPolicy(), flow=30.0, pressure=-10.0)
    assert verdict.share[0].tolist() == pytest.approx([0.75, 0.25], abs=0.01)


def test_a_slot_at_the_limit_comes_about_as_often_as_the_budget_has_it(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    engine = open_engine(by_errors_alone(bundle), Budget.parse("1 per day"))
    engine.add([KNOWN])
    upper = float(engine.feed(series([0.0] * 10)).upper[-1, 0])
    once_in = engine.feed(series([upper], first=10)).once_in
    assert once_in[0] == pytest.approx(86_400_000 / INTERVAL_MS, rel=0.2)
    assert engine.feed(series([1e9], first=11)).once_in[0] > 1e20


def test_while_it_learns_there_is_neither_share_nor_rarity(engine: Engine) -> None:
    verdicts = engine.feed(series([0.0] * 4))
    assert np.isnan(verdicts.share).all()
    assert np.isnan(verdicts.once_in).all()


def test_an_alarm_lifts_the_limit_and_quiet_slots_lower_it(make_bundle: MakeBundle) -> None:
    engine = Engine(make_bundle().manifest, OnnxRuntime(last_value_model(1)), PER_SLOT)
    engine.add([KNOWN])
    before = engine.feed(series([0.0] * 10))
    after = engine.feed(series([50.0, 50.0] + [50.0] * 10, first=10))
    assert before.upper[-1, 0] < before.upper[4, 0]
    assert (after.upper - after.lower)[-1, 0] > 1.1 * (before.upper - before.lower)[-1, 0]


def test_a_new_budget_holds_from_the_next_slot_on(engine: Engine) -> None:
    engine.feed(series([0.0] * 10))
    assert engine.feed(series([20.0], first=10)).change[0] == Change.OPENED
    engine.feed(series([20.0] * 30, first=11))
    engine.allow(0.0)
    assert engine.limit == np.inf
    verdict = engine.feed(series([1e5], first=41))
    assert (verdict.score[0], verdict.status[0]) == (0.0, Status.NORMAL)


def test_the_alarms_so_far_are_told_as_a_share_of_the_budget(make_bundle: MakeBundle) -> None:
    engine = Engine(make_bundle().manifest, OnnxRuntime(last_value_model(1)), 0.05)
    engine.add([KNOWN])
    verdicts = engine.feed(series([0.0] * 44 + [100.0] + [100.0] * 19))
    assert np.isnan(verdicts.achieved[:24]).all()
    assert verdicts.achieved[24] == 0
    assert verdicts.achieved[-1] == pytest.approx(1 / (59 * 0.05))


@pytest.mark.parametrize(
    ("factor", "offset"), [(1000.0, 5.0), (1e-3, 0.0), (1e-12, 0.0), (1e12, 0.0), (1.8, 32.0), (1.0, 1e6)]
)
def test_the_same_values_in_another_unit_have_the_same_verdicts(factor: float, offset: float) -> None:
    values = 20 + np.random.default_rng(0).normal(size=600)
    values[35] += 67  # while the scale is learnt
    values[300:310] += 40
    values[400:420:2] += 40
    values[450:470] = np.nan
    told, others = (_judged_as_new(each) for each in (values, factor * values + offset))
    assert Status.ANOMALY in told.status
    assert told.quality.any()
    for name in ("status", "change", "alarm", "quality", "channel"):
        np.testing.assert_array_equal(getattr(others, name), getattr(told, name), name)
    np.testing.assert_allclose(others.score, told.score, rtol=1e-5)
    for name in ("expected", "lower", "upper"):
        back = (getattr(others, name) - offset) / factor
        np.testing.assert_allclose(back, getattr(told, name), rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("factor", "offset"), [(1e-12, 0.0), (0.01, 5.0), (1000.0, -7000.0), (1.0, 1e6)])
def test_a_channel_that_stood_still_moves_as_far_in_any_unit(factor: float, offset: float) -> None:
    values = np.full(200, 7.0)
    values[100:] = 7.5
    told, others = (_judged_as_new(each) for each in (values, factor * values + offset))
    assert told.status[100] == Status.ANOMALY
    np.testing.assert_allclose(others.score, told.score, rtol=1e-5)


def _judged_as_new(values: NDArray[np.float64]) -> Verdicts:
    engine = Engine(manifest_of(Channel("flow"), burn_in=20, max_gap=50), LastValue(), PER_SLOT)
    engine.add(["new"])
    return engine.feed(series(values.tolist()))
