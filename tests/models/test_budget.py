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
from edge.runtime import OnnxRuntime
from models.calibrated import Calibrated, train_calibrated
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training.preparation import prepare

Values = NDArray[np.float64]

BUDGET = Budget.parse("2 per week")
INTERVAL_MS, DAY, WEEK, FIRST = 600_000, 144, 1008, 2_833_488
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


def shares(noise: str, known: int, new: int, weeks: int, tail: Tail | None = None) -> tuple[float, float]:
    """Return the alarms over those of the budget: of streams that are scaled as they were trained, and of new ones."""
    made = calibrated(noise)
    per_slot = BUDGET.per_slot(INTERVAL_MS)
    engine = Engine(replace(made.manifest, tail=tail or made.manifest.tail), OnnxRuntime(made.model), per_slot)
    names = [f"pump-{k % TRAINED_STREAMS}" for k in range(known)] + [f"new-{k}" for k in range(new)]
    rows = engine.add(names)
    values = 20 + 2 * NOISES[noise](np.random.default_rng(2), weeks * WEEK, len(names))
    opened, judged = np.zeros(len(names)), np.zeros(len(names))
    for week, part in enumerate(np.split(values, weeks)):
        time = (FIRST + (TRAINED_WEEKS + week) * WEEK + np.arange(WEEK)) * INTERVAL_MS
        stream = np.tile(rows, WEEK)
        readings = Readings(stream, np.zeros(len(stream), np.int16), np.repeat(time, len(rows)), part.ravel())
        verdicts = engine.feed(readings)
        counted = verdicts.stream[verdicts.status != Status.LEARNING]
        judged += np.bincount(counted, minlength=len(names))
        opened += np.bincount(verdicts.stream[verdicts.change == Change.OPENED], minlength=len(names))
    both = np.split(opened, [known]), np.split(judged, [known])
    of_known, of_new = (
        float(alarms.sum() / max(slots.sum() * per_slot, 1)) for alarms, slots in zip(*both, strict=True)
    )
    return of_known, of_new


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
def test_over_weeks_of_noise_alarms_come_at_the_rate_of_the_budget(noise: str) -> None:
    of_known, of_new = shares(noise, known=100, new=100, weeks=8)
    print(f"{noise}: {of_known:.2f} of known streams, {of_new:.2f} of new ones")
    assert 0.5 <= of_known <= 1.5
    assert 0.5 <= of_new <= 1.5


@pytest.mark.parametrize("noise", ["Gaussian", "Student-t 3"])
def test_from_the_first_days_on_alarms_come_at_the_rate_of_the_budget(noise: str) -> None:
    assert 0.5 <= shares(noise, known=100, new=0, weeks=2)[0] <= 1.5


def test_with_a_wrong_tail_and_a_limit_that_does_not_follow_they_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lift, "STEP", 0.0)
    right = calibrated("Gaussian").manifest.tail
    wrong = replace(right, mean_excess=right.mean_excess / 2)
    assert shares("Gaussian", known=100, new=0, weeks=1, tail=wrong)[0] > 1.5
