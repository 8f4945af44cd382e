"""The budget is kept: on noise in which nothing is wrong, alarms come about as often as they may."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.day import bins_of
from edge.engine import Engine
from edge.limits import Budget
from edge.manifest import Channel, Manifest
from edge.reading import Change, Readings
from edge.runtime import Step
from edge.state import layout, record_dtype
from models.calibration import calibrate, unit_scaling
from models.data.recordings import Recording
from models.training.sequences import Split
from tests.conftest import manifest_of

INTERVAL_MS, DAY, WEEK = 600_000, 144, 1008  #: slots
FIRST = 1_700_000_000_000 // 86_400_000 * DAY  #: a midnight's slot
WATCHED, CALIBRATED = 200, 20  #: streams
BUDGET = Budget.parse("2 per week")
PER_SLOT = BUDGET.per_slot(INTERVAL_MS)
Noise = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expects:
    """A forecaster that knows how its noise was made: forecast = last * value + daily * sine of the time of day."""

    last: float = 0.0
    daily: float = 0.0

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        return (self.last * x[:, :1] + self.daily * x[:, 1:2])[:, None, :], None, memory


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of noise and the forecaster that is best at it."""

    make: Callable[[np.random.Generator, int, int], Noise]  #: (slots, streams), from midnight on
    runtime: Expects = Expects()


def correlated(random: np.random.Generator, slots: int, streams: int) -> Noise:
    noise = random.normal(size=(slots, streams))
    noise[0] /= np.sqrt(1 - 0.9**2)
    for slot in range(1, slots):
        noise[slot] += 0.9 * noise[slot - 1]
    return noise


def sine(slots: int) -> Noise:
    return np.sin(2 * np.pi * np.arange(slots)[:, None] / DAY)


KINDS = {
    "gaussian": Kind(lambda random, slots, streams: random.normal(size=(slots, streams))),
    "laplace": Kind(lambda random, slots, streams: random.laplace(size=(slots, streams))),
    "student-t": Kind(lambda random, slots, streams: random.standard_t(3, size=(slots, streams))),
    "correlated": Kind(correlated, Expects(last=0.9)),
    "seasonal": Kind(
        lambda random, slots, streams: 3 * sine(slots) + random.normal(size=(slots, streams)), Expects(daily=3.0)
    ),
    "louder by day": Kind(
        lambda random, slots, streams: (1 + 0.8 * sine(slots)) * random.normal(size=(slots, streams))
    ),
}


def splits_of(noise: Noise) -> list[Split]:
    """Return streams (slots, streams) of which the last quarter is held out, each in the scale it has."""
    held_from, columns = len(noise) * 3 // 4, np.moveaxis(noise[:, :, None], 1, 0)
    recordings = [Recording(f"known-{k}", ("value",), INTERVAL_MS, FIRST, each) for k, each in enumerate(columns)]
    return [Split(each, held_from, np.zeros(1), np.ones(1)) for each in recordings]


def calibrated(kind: Kind, random: np.random.Generator) -> Manifest:
    """Return a manifest that was calibrated on four weeks of other streams, whose range the watched ones share."""
    splits, bins = splits_of(kind.make(random, 4 * WEEK, CALIBRATED)), bins_of(INTERVAL_MS)
    manifest = replace(
        manifest_of(Channel("value"), interval_ms=INTERVAL_MS, burn_in=6, day_bins=bins),
        calendar=True,
        scaling=unit_scaling(splits, np.full(1, -1e3), np.full(1, 1e3), fixed=False),
        layout=layout(record_dtype(1, 1, bins)),
    )
    manifest = calibrate(manifest, kind.runtime, splits)
    known = list(manifest.scaling.streams.values())
    watched = {f"watched-{k}": known[k % len(known)] for k in range(WATCHED)}
    return replace(manifest, scaling=replace(manifest.scaling, streams=watched))


def days(rows: NDArray[np.int32], noise: Noise, first: int) -> Iterator[Readings]:
    """Yield the readings of noise (slots, streams), whose first slot is given, day by day, slot after slot."""
    for begin in range(0, len(noise), DAY):
        part = noise[begin : begin + DAY]
        time = (FIRST + first + begin + np.arange(len(part))) * INTERVAL_MS
        yield Readings(
            np.tile(rows, len(part)), np.zeros(part.size, np.int16), np.repeat(time, len(rows)), part.ravel()
        )


def achieved(
    engine: Engine, rows: NDArray[np.int32], noise: Noise, per_slot: float, first: int = 0
) -> NDArray[np.float64]:
    """Return the alarms of each day over those that the budget allows; `first` is the slot the noise begins with."""
    ratios = []
    for batch in days(rows, noise, first):
        verdicts = engine.feed(batch)
        judged = np.count_nonzero(np.isfinite(verdicts.score))
        ratios.append(np.count_nonzero(verdicts.change == Change.OPENED) / (judged * per_slot))
    return np.array(ratios)


def watch(name: str, slots: int, streams: int = WATCHED) -> tuple[Engine, NDArray[np.int32], Noise]:
    """Return an engine that watches streams of a kind, and their noise (slots, streams)."""
    kind, random = KINDS[name], np.random.default_rng(crc32(name.encode()))
    engine = Engine(calibrated(kind, random), kind.runtime, PER_SLOT)
    rows = engine.add([f"watched-{k}" for k in range(streams)])
    return engine, rows, kind.make(random, slots, streams)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_alarms_come_as_often_as_the_budget_has_it(name: str) -> None:
    engine, rows, noise = watch(name, 8 * WEEK)
    ratio = achieved(engine, rows, noise, PER_SLOT).mean()
    assert 0.5 < ratio < 1.5


def test_a_calibrated_engine_neither_cries_wolf_nor_is_deaf_from_the_start() -> None:
    engine, rows, noise = watch("gaussian", 2 * WEEK, streams=50)
    assert 0.4 < achieved(engine, rows, noise, PER_SLOT).mean() < 1.5


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_a_budget_that_is_changed_is_kept_from_then_on(factor: float) -> None:
    engine, rows, noise = watch("gaussian", 8 * WEEK)
    achieved(engine, rows, noise[: 4 * WEEK], PER_SLOT)
    engine.allow(factor * PER_SLOT)
    assert 0.5 < achieved(engine, rows, noise[4 * WEEK :], factor * PER_SLOT, 4 * WEEK).mean() < 1.5
