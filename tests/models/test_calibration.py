from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest

from edge.bundle import Bundle
from edge.engine import open_engine
from edge.errors import DataError
from edge.limits import Budget, Tail
from edge.reading import Status
from edge.runtime import open_runtime
from models import calibration
from models.calibration import NO_LIMIT, calibrate, replay
from models.data.readings import of_recordings
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training.sequences import Split, split

SPEC = ForecasterSpec(family="mlp", units=4, lookback=6)


@pytest.fixture
def splits(make_recording: Callable[..., Recording]) -> list[Split]:
    recordings = [make_recording(name, ("flow", "heat"), seed=k) for k, name in enumerate(("pump-1", "pump-2"))]
    return [split(each, SPEC, TrainingSpec()) for each in recordings]


def test_the_spread_is_the_mean_absolute_scaled_error_on_what_was_held_out(
    trained: Bundle, splits: list[Split]
) -> None:
    engine = open_engine(trained)
    engine.add([each.recording.name for each in splits])
    verdicts = engine.feed(of_recordings([each.recording for each in splits]))
    for row, each in enumerate(splits):
        known = trained.manifest.scaling.streams[each.recording.name]
        own = verdicts.stream == row
        error = np.abs(verdicts.value - verdicts.expected)[own][each.held_from :] / each.scale
        np.testing.assert_allclose(known.spread, error.mean(axis=0), rtol=1e-5)
        np.testing.assert_array_equal(known.location, each.location)


def test_the_spread_of_all_streams_is_the_mean_of_all_errors(trained: Bundle) -> None:
    scaling = trained.manifest.scaling
    own = np.mean([each.spread for each in scaling.streams.values()], axis=0)
    np.testing.assert_allclose(scaling.spread, own)


def test_the_tail_counts_every_held_out_slot(trained: Bundle) -> None:
    assert trained.manifest.tail.count == 200
    assert 1 < trained.manifest.tail.threshold < 10


def test_a_budget_is_about_kept_on_what_was_held_out(trained: Bundle, splits: list[Split]) -> None:
    engine = open_engine(trained, Budget.parse("4.32 per day"))  # three of 100 slots
    engine.add([each.recording.name for each in splits])
    verdicts = engine.feed(of_recordings([each.recording for each in splits]))
    held_out = verdicts.time >= (splits[0].recording.first + splits[0].held_from) * 600_000
    assert 0.01 < np.mean(verdicts.status[held_out] == Status.ANOMALY) < 0.06


def test_too_few_errors_are_told(trained: Bundle, splits: list[Split]) -> None:
    values = splits[0].recording.values.copy()
    values[splits[0].held_from :: 8] = np.nan
    values[splits[0].held_from + 10 :] = np.nan
    gappy = replace(splits[0], recording=replace(splits[0].recording, values=values))
    with pytest.raises(DataError, match="pump: expected at least 16 held-out slots to calibrate on, got"):
        calibrate(trained.manifest, open_runtime(trained.files), [gappy])


def test_a_stream_that_says_nothing_in_its_held_out_part_gets_the_spread_of_all(
    trained: Bundle, splits: list[Split]
) -> None:
    values = splits[1].recording.values.copy()
    values[splits[1].held_from :] = np.nan
    silent = replace(splits[1], recording=replace(splits[1].recording, values=values))
    manifest = calibrate(trained.manifest, open_runtime(trained.files), [splits[0], silent])
    assert manifest.scaling.streams["pump-2"].spread == manifest.scaling.spread
    assert manifest.scaling.streams["pump-1"].spread == manifest.scaling.spread


def test_a_long_part_that_is_run_in_pieces_gives_what_it_gives_as_a_whole(
    trained: Bundle, splits: list[Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, manifest = open_runtime(trained.files), trained.manifest
    whole, whole_verdicts = calibrate(manifest, runtime, splits), replay(manifest, runtime, splits, adapts=False)
    monkeypatch.setattr(calibration, "PIECE", 30)
    monkeypatch.setattr(calibration, "LEAD", 12)
    pieces, verdicts = calibrate(manifest, runtime, splits), replay(manifest, runtime, splits, adapts=False)
    np.testing.assert_array_equal(verdicts.time, whole_verdicts.time)
    np.testing.assert_array_equal(verdicts.stream, whole_verdicts.stream)
    np.testing.assert_allclose(verdicts.expected, whole_verdicts.expected, rtol=1e-6)
    np.testing.assert_allclose(pieces.scaling.spread, whole.scaling.spread, rtol=1e-6)
    assert asdict(pieces.tail) == pytest.approx(asdict(whole.tail), rel=1e-5)


def test_the_scores_are_those_the_engine_gives(trained: Bundle, splits: list[Split]) -> None:
    splits = [_shorter(splits[0]), splits[1]]
    runtime, manifest = open_runtime(trained.files), calibrate(trained.manifest, open_runtime(trained.files), splits)
    errors = replay(manifest, runtime, splits).score.astype(float) * NO_LIMIT
    assert asdict(Tail.fit(np.maximum(errors, 1.0))) == pytest.approx(asdict(manifest.tail), rel=1e-5)


def _shorter(each: Split) -> Split:
    values = each.recording.values.copy()
    values[-30:] = np.nan
    return replace(each, recording=replace(each.recording, values=values))
