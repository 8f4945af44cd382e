"""Alarms come at the rate of the budget while nothing is wrong, whatever the noise: training to engine."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from edge import lift
from edge.engine import Engine
from edge.limits import Budget, Tail
from edge.reading import Change, Readings, Status
from edge.runtimes.onnx import OnnxRuntime
from models.calibrated import Calibrated, train_calibrated
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training.preparation import prepare

Values = NDArray[np.float64]

BUDGET = Budget.parse("2 per week")
INTERVAL_MS, DAY, WEEK, FIRST = 600_000, 144, 1008, 2_833_488
PER_SLOT = BUDGET.per_slot(INTERVAL_MS)
TRAINED_STREAMS, TRAINED_WEEKS = 8, 4


def autoregressive(random: np.random.Generator, slots: int, streams: int, weight: float = 0.9) -> Values:
    values = random.normal(size=(slots, streams))
    values[0] /= np.sqrt(1 - weight**2)
    for slot in range(1, slots):
        values[slot] += weight * values[slot - 1]
    return values


def cycle(slots: int) -> Values:
    return np.sin(2 * np.pi * np.arange(slots)[:, None] / DAY)


NOISES: dict[str, Callable[[np.random.Generator, int, int], Values]] = {
    "Gaussian": lambda random, slots, streams: random.normal(size=(slots, streams)),
    "Laplace": lambda random, slots, streams: random.laplace(size=(slots, streams)),
    "Student-t 3": lambda random, slots, streams: random.standard_t(3, (slots, streams)),
    "AR(1) 0.9": autoregressive,
    "seasonal": lambda random, slots, streams: 3 * cycle(slots) + random.normal(size=(slots, streams)),
    "heteroscedastic": lambda random, slots, streams: (1 + 0.8 * cycle(slots)) * random.normal(size=(slots, streams)),
}


@cache
def calibrated(noise: str) -> Calibrated:
    values = 20 + 2 * NOISES[noise](np.random.default_rng(1), TRAINED_WEEKS * WEEK, TRAINED_STREAMS)
    recordings = [Recording(f"pump-{k}", ("flow",), INTERVAL_MS, FIRST, own[:, None]) for k, own in enumerate(values.T)]
    spec, training = ForecasterSpec("ar").sized(1), TrainingSpec()
    return train_calibrated(prepare(recordings, spec, training), spec, training, name="pump", budget=str(BUDGET))


def watch(noise: str, known: int, new: int, tail: Tail | None = None) -> Engine:
    """Return an engine with streams that are scaled as they were trained, and then new ones."""
    made = calibrated(noise)
    engine = Engine(replace(made.manifest, tail=tail or made.manifest.tail), OnnxRuntime(made.model), PER_SLOT)
    engine.add([f"pump-{k % TRAINED_STREAMS}" for k in range(known)] + [f"new-{k}" for k in range(new)])
    return engine


def follow(engine: Engine, noise: str, weeks: range, per_slot: float = PER_SLOT) -> tuple[Values, Values]:
    """Return the alarms that each stream raises in some weeks of noise, and how many the budget allows it."""
    streams = len(engine.table)
    raised, allowed = np.zeros(streams), np.zeros(streams)
    for week in weeks:
        values = 20 + 2 * NOISES[noise](np.random.default_rng([2, week]), WEEK, streams)
        time = (FIRST + (TRAINED_WEEKS + week) * WEEK + np.arange(WEEK)) * INTERVAL_MS
        stream = np.tile(np.arange(streams, dtype=np.int32), WEEK)
        readings = Readings(stream, np.zeros(len(stream), np.int16), np.repeat(time, streams), values.ravel())
        verdicts = engine.feed(readings)
        judged = verdicts.stream[verdicts.status != Status.LEARNING]
        allowed += per_slot * np.bincount(judged, minlength=streams)
        raised += np.bincount(verdicts.stream[verdicts.change == Change.OPENED], minlength=streams)
    return raised, allowed


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
def test_over_weeks_of_noise_alarms_come_at_the_rate_of_the_budget(noise: str) -> None:
    raised, allowed = follow(watch(noise, known=100, new=100), noise, range(8))
    of_known, of_new = raised[:100].sum() / allowed[:100].sum(), raised[100:].sum() / allowed[100:].sum()
    print(f"{noise}: {of_known:.2f} of known streams, {of_new:.2f} of new ones")
    assert 0.5 <= of_known <= 1.5
    assert 0.5 <= of_new <= 1.5


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_a_budget_that_is_changed_is_kept_from_then_on(factor: float) -> None:
    engine = watch("Gaussian", known=100, new=0)
    follow(engine, "Gaussian", range(4))
    engine.allow(factor * PER_SLOT)
    raised, allowed = follow(engine, "Gaussian", range(4, 8), factor * PER_SLOT)
    assert 0.5 <= raised.sum() / allowed.sum() <= 1.5


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["Gaussian", "Student-t 3"])
def test_from_the_first_days_on_alarms_come_at_the_rate_of_the_budget(noise: str) -> None:
    raised, allowed = follow(watch(noise, known=100, new=0), noise, range(2))
    assert 0.5 <= raised.sum() / allowed.sum() <= 1.5


def test_with_a_wrong_tail_and_a_limit_that_does_not_follow_they_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lift, "STEP", 0.0)
    right = calibrated("Gaussian").manifest.tail
    wrong = replace(right, mean_excess=right.mean_excess / 2)
    raised, allowed = follow(watch("Gaussian", known=100, new=0, tail=wrong), "Gaussian", range(1))
    assert raised.sum() > 1.5 * allowed.sum()
