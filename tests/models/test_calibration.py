from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.bundle import Bundle
from edge.engine import open_engine
from edge.errors import DataError
from edge.limits import Budget
from edge.manifest import Manifest
from edge.reading import Status
from edge.runtimes import open_runtime
from edge.signals import CONTEXT, ERROR, LEAST_WIDTH, NOVELTY, SUSTAINED
from edge.state import SIGNALS
from edge.surprise import Reference
from models import calibration
from models.calibration import calibrate, replay, surprises, sustained_slots
from models.data.readings import of_recordings
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training.sequences import Split, split

SPEC = ForecasterSpec(family="mlp", units=4, lookback=6)
LEARNT_FROM, HELD_FROM, SLOTS = 6, 300, 400  #: slots after the burn-in are observed
DAY = 144  #: slots
Errors = NDArray[np.float64]


@pytest.fixture
def splits(make_recording: Callable[..., Recording]) -> list[Split]:
    recordings = [make_recording(name, ("flow", "heat"), seed=k) for k, name in enumerate(("pump-1", "pump-2"))]
    return [split(each, SPEC, TrainingSpec()) for each in recordings]


@pytest.fixture
def errors(trained: Bundle, splits: list[Split]) -> Errors:
    """Return the absolute scaled errors (stream, slot, channel) of the engine as in service, from LEARNT_FROM on."""
    engine = open_engine(trained)
    engine.add([each.recording.name for each in splits])
    verdicts = engine.feed(of_recordings([each.recording for each in splits]))
    both = [verdicts.take(verdicts.stream == row) for row in range(2)]
    return np.stack([np.abs(own.value - own.expected)[LEARNT_FROM:] / splits[k].scale for k, own in enumerate(both)])


def without(each: Split, rows: slice) -> Split:
    values = each.recording.values.copy()
    values[rows] = np.nan
    return replace(each, recording=replace(each.recording, values=values))


def calibrated(trained: Bundle, splits: list[Split]) -> Manifest:
    return calibrate(trained.manifest, open_runtime(trained.files), splits)


def test_a_spread_is_the_mean_absolute_scaled_error_of_all_that_is_observed(
    trained: Bundle, splits: list[Split], errors: Errors
) -> None:
    known = [trained.manifest.scaling.streams[each.recording.name] for each in splits]
    np.testing.assert_allclose([each.spread for each in known], errors.mean(axis=1), rtol=1e-5)
    np.testing.assert_array_equal([each.location for each in known], [each.location for each in splits])


def test_the_spread_of_streams_not_known_is_that_of_all(trained: Bundle, errors: Errors) -> None:
    np.testing.assert_allclose(trained.manifest.scaling.spread, errors.mean(axis=(0, 1)), rtol=1e-5)


def test_the_range_of_a_stream_is_that_of_all_its_values(trained: Bundle, splits: list[Split]) -> None:
    for each in splits:
        known = trained.manifest.scaling.streams[each.recording.name]
        np.testing.assert_array_equal(known.least, each.scaled.min(axis=0))
        np.testing.assert_array_equal(known.most, each.scaled.max(axis=0))


def test_the_reference_is_of_the_errors_of_each_stream_over_its_own_mean(trained: Bundle, errors: Errors) -> None:
    greatest = (errors / errors.mean(axis=1, keepdims=True)).max(axis=2).ravel()
    typical, rare = np.quantile(greatest, [0.5, 0.97], method="lower")
    reference = trained.manifest.reference
    assert reference.typical[ERROR] == pytest.approx(typical, rel=1e-5)
    assert reference.rare[ERROR] == pytest.approx(rare, rel=1e-5)
    assert reference.rate[ERROR] == pytest.approx(0.03, abs=0.002)


def test_a_value_is_new_against_all_that_its_stream_has_shown_before(trained: Bundle, splits: list[Split]) -> None:
    values = np.stack([each.scaled for each in splits])
    least, most = np.minimum.accumulate(values, axis=1)[:, :-1], np.maximum.accumulate(values, axis=1)[:, :-1]
    outside = np.maximum(values[:, 1:] - most, least - values[:, 1:])[:, LEARNT_FROM - 1 :]
    novelty = (outside / (most - least).clip(LEAST_WIDTH)[:, LEARNT_FROM - 1 :]).max(axis=2).clip(0)
    rare = np.quantile(novelty, 0.97, method="lower")
    assert trained.manifest.reference.rare[NOVELTY] == pytest.approx(rare, rel=1e-4)
    assert rare > 0


def test_a_value_is_compared_with_those_around_this_time_a_day_before(trained: Bundle, splits: list[Split]) -> None:
    assert trained.manifest.day_bins == DAY
    values = np.stack([each.scaled for each in splits])
    unknown = np.full((2, DAY + 1, 2), np.nan)
    before = np.concatenate([unknown, values], axis=1)
    around = np.stack([before[:, k : k + SLOTS] for k in range(3)])
    outside = np.fmax(values - np.fmax.reduce(around), np.fmin.reduce(around) - values)
    context = np.nan_to_num(outside).max(axis=2).clip(0)[:, LEARNT_FROM:].ravel()
    expected = Reference.fit(np.tile(context[:, None], len(SIGNALS)))
    reference = trained.manifest.reference
    for name in ("typical", "rare", "rate", "excess"):
        assert getattr(reference, name)[CONTEXT] == pytest.approx(getattr(expected, name)[CONTEXT], abs=2e-3)
    assert expected.excess[CONTEXT] > 5e-3


def test_the_sustained_error_is_a_longer_mean_where_more_slots_were_calibrated_on(
    trained: Bundle, splits: list[Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trained.manifest.sustained == sustained_slots(2 * (SLOTS - LEARNT_FROM)) == 9
    monkeypatch.setattr(calibration, "MEANS", 40)
    longer = calibrated(trained, splits)
    assert longer.sustained == 19
    assert longer.reference.rare[SUSTAINED] < trained.manifest.reference.rare[SUSTAINED]


def test_the_tail_is_of_the_learnt_and_the_held_out_slots(trained: Bundle) -> None:
    tail = trained.manifest.tail
    assert (tail.count, tail.exceeding) == (2 * (SLOTS - LEARNT_FROM), 2 * (SLOTS - LEARNT_FROM) * 3 // 100)
    assert 1 < tail.threshold < 10


def test_surprises_are_summed_against_a_reference_that_stays() -> None:
    reference = Reference(*((number,) * len(SIGNALS) for number in (1.0, 2.0, 0.01, 1 / np.log(10))))
    signals = np.array([[0.5, 1, 0, 0, 0], [2, 0, 0, 0, 0], [5, 2, 0, 1.5, 0]], np.float32)
    np.testing.assert_allclose(surprises(signals, reference), [0, 2, 5 + 2 + 1], rtol=1e-6)


@pytest.mark.parametrize("per_slot", [0.03, 0.01])
def test_a_budget_is_about_kept_on_what_was_calibrated_on(
    trained: Bundle, splits: list[Split], per_slot: float
) -> None:
    every = [replace(each, held_from=LEARNT_FROM) for each in splits]
    verdicts = replay(trained.manifest, open_runtime(trained.files), every, per_slot, adapts=False)
    assert len(verdicts) == 2 * (SLOTS - LEARNT_FROM)
    assert per_slot / 2 < np.mean(verdicts.status == Status.ANOMALY) < 2 * per_slot


def test_a_budget_is_about_kept_in_service(trained: Bundle, splits: list[Split]) -> None:
    engine = open_engine(trained, Budget.parse("4.32 per day"))  # three of 100 slots
    engine.add([each.recording.name for each in splits])
    verdicts = engine.feed(of_recordings([each.recording for each in splits]))
    judged = verdicts.time >= (splits[0].recording.first + LEARNT_FROM) * 600_000
    assert 0.015 < np.mean(verdicts.status[judged] == Status.ANOMALY) < 0.06


def test_too_few_errors_are_told(trained: Bundle, splits: list[Split]) -> None:
    gappy = without(without(splits[0], slice(HELD_FROM, None, 8)), slice(HELD_FROM + 10, None))
    with pytest.raises(DataError, match="pump: expected at least 16 held-out slots to calibrate on, got 8"):
        calibrated(trained, [gappy])


def test_a_stream_that_says_nothing_in_its_held_out_part_is_measured_by_what_was_learnt_from(
    trained: Bundle, splits: list[Split], errors: Errors
) -> None:
    manifest = calibrated(trained, [splits[0], without(splits[1], slice(HELD_FROM, None))])
    expected = errors[1, : HELD_FROM - LEARNT_FROM].mean(axis=0)
    np.testing.assert_allclose(manifest.scaling.streams["pump-2"].spread, expected, rtol=1e-5)
    assert manifest.tail.count == trained.manifest.tail.count - (SLOTS - HELD_FROM)


def test_a_channel_that_says_nothing_anywhere_gets_the_spread_of_all_streams(
    trained: Bundle, splits: list[Split]
) -> None:
    values = splits[1].recording.values.copy()
    values[:, 1] = np.nan
    mute = replace(splits[1], recording=replace(splits[1].recording, values=values))
    scaling = calibrated(trained, [splits[0], mute]).scaling
    assert scaling.streams["pump-2"].spread[1] == scaling.spread[1] == scaling.streams["pump-1"].spread[1]


def test_what_is_run_in_pieces_gives_what_it_gives_as_a_whole(
    trained: Bundle, splits: list[Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, manifest = open_runtime(trained.files), trained.manifest
    whole, whole_verdicts = calibrate(manifest, runtime, splits), replay(manifest, runtime, splits, adapts=False)
    monkeypatch.setattr(calibration, "PIECE", 30)
    monkeypatch.setattr(calibration, "LEAD", 12)  # a day is longer
    pieces, verdicts = calibrate(manifest, runtime, splits), replay(manifest, runtime, splits, adapts=False)
    np.testing.assert_array_equal(verdicts.time, whole_verdicts.time)
    np.testing.assert_array_equal(verdicts.stream, whole_verdicts.stream)
    np.testing.assert_allclose(verdicts.expected, whole_verdicts.expected, rtol=1e-6)
    np.testing.assert_allclose(pieces.scaling.spread, whole.scaling.spread, rtol=1e-6)
    for name, numbers in asdict(whole.reference).items():
        assert getattr(pieces.reference, name) == pytest.approx(numbers, rel=1e-5)
    assert asdict(pieces.tail) == pytest.approx(asdict(whole.tail), rel=1e-5)


def test_only_the_newest_slots_learnt_from_are_observed(
    trained: Bundle, splits: list[Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "LEARNT_SLOTS", 100)  # of all streams together
    assert calibrated(trained, splits).tail.count == 100 + 2 * (SLOTS - HELD_FROM)


def test_a_replay_does_not_know_the_values_that_are_to_come(trained: Bundle, splits: list[Split]) -> None:
    values = splits[0].recording.values.copy()
    values[350] += 100  # held out
    record = split(replace(splits[0].recording, values=values), SPEC, TrainingSpec())
    name = record.recording.name
    known = replace(trained.manifest.scaling.streams[name], least=(-500.0, -500.0), most=(500.0, 500.0))
    scaling = replace(trained.manifest.scaling, streams={name: known})
    manifests = trained.manifest, replace(trained.manifest, scaling=scaling)
    one, other = (replay(each, open_runtime(trained.files), [record], 1e-4) for each in manifests)
    np.testing.assert_array_equal(one.score, other.score)
    assert one.score[350 - record.held_from] > 1


def test_a_limit_that_nothing_reaches_raises_nothing(trained: Bundle, splits: list[Split]) -> None:
    verdicts = replay(trained.manifest, open_runtime(trained.files), splits)
    assert len(verdicts) == 2 * (SLOTS - HELD_FROM)
    assert (verdicts.score == 0).all()
    assert not verdicts.alarm.any()
