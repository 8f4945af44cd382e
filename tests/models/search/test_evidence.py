from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.data.recordings import Recording
from models.search.evidence import Evidence, gather, specs_of
from models.search.task import Task
from models.spec import ForecasterSpec, TrainingSpec

MakeRecording = Callable[..., Recording]
SPEC, TRAINING = ForecasterSpec("ar", lookback=6), TrainingSpec(stretch=16)


@pytest.fixture(scope="module")
def evidence(make_recording: MakeRecording, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Return what a linear model did on two streams, one of which jumped out of its band once."""
    calm, jumped = (make_recording(name, seed=seed) for seed, name in enumerate(("calm", "jumped")))
    jumped.values[350] += 30
    jumped.values[360:363] = np.nan
    task = Task("pump", (calm, jumped, make_recording("short", slots=20)), budget="1 per day")
    out: Path = tmp_path_factory.mktemp("evidence")
    return gather(task.train(SPEC, TRAINING, out), task.recordings)


def test_every_slot_that_was_held_out_is_judged(evidence: Evidence) -> None:
    assert [each.recording.name for each in evidence.splits] == ["calm", "jumped"]
    assert np.bincount(evidence.verdicts.stream).tolist() == [100, 97]
    assert np.isfinite(evidence.verdicts.score).all()


def test_residuals_lie_in_their_slots(evidence: Evidence) -> None:
    calm, jumped = evidence.residuals
    assert calm.shape == jumped.shape == (100, 1)
    assert np.flatnonzero(np.isnan(jumped)).tolist() == [60, 61, 62]
    assert np.nanargmax(np.abs(jumped)) in (50, 51)
    scale = evidence.splits[0].scale
    verdict = evidence.verdicts.take(evidence.verdicts.stream == 0)
    np.testing.assert_allclose(calm[7] * scale, verdict.value[7] - verdict.expected[7])


def test_alarms_are_counted_for_a_stream_and_week(evidence: Evidence) -> None:
    opened = int((evidence.verdicts.change == 1).sum())
    assert opened >= 1
    assert evidence.alarms_per_week == pytest.approx(opened * 7 * 144 / 197)
    assert (evidence.surprises.max() >= evidence.limit) == (opened > 0)


def test_the_specs_are_those_of_the_training(evidence: Evidence) -> None:
    assert specs_of(evidence.manifest) == (replace(SPEC), TRAINING)
