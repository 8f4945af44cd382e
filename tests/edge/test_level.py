"""Level shifts through a whole engine, whose forecaster expects every value to be what the stream always was."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.alarm import AlarmPolicy, LevelRule
from edge.engine import Engine
from edge.errors import ConfigError
from edge.quality import Quality
from edge.reading import Change, Readings, Status, Verdicts
from edge.runtimes import Step
from edge.surprise import Reference
from tests.conftest import INTERVAL_MS, START_MS, MakeBundle

MEAN, SCALE, AFTER = 50.0, 2.0, 40
#: the errors of normal noise whose spread is 0.8, their running means; values within the range; no day before
NORMAL = Reference(
    typical=(0.84, 1.0, 0.0, 0.0, 0.0),
    rare=(2.7, 1.4, 0.0, 0.0, 0.0),
    rate=(0.03, 0.03, 1e-3, 1e-3, 1e-3),
    excess=(0.46, 0.1, 0.1, 0.1, 0.1),
)
PER_SLOT = 1e-4  #: alarms
CALM = 200  #: slots before anything happens
ROW = np.array([0], np.int32)


class ExpectsTheMean:
    """A forecaster that has learnt that all streams are noise about their mean."""

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        return np.zeros((len(x), 1, x.shape[1]), np.float32), None, memory


def watch(make_bundle: MakeBundle, rule: LevelRule, channels: int = 1, *, adapts: bool = True) -> Engine:
    """Return an engine that watches one stream with a spread of 0.8, that of normal noise."""
    bundle = make_bundle(channels=("flow", "pressure")[:channels])
    scaling = bundle.manifest.scaling
    known = replace(
        scaling.streams["plant/pump-1"],
        location=(MEAN,) * channels,
        scale=(SCALE,) * channels,
        spread=(0.8,) * channels,
    )
    scaling = replace(scaling, streams={"plant/pump-1": known})
    manifest = replace(bundle.manifest, scaling=scaling, reference=NORMAL)
    policy = AlarmPolicy(level=rule, level_after=AFTER)
    engine = Engine(manifest, ExpectsTheMean(), PER_SLOT, policy, adapts=adapts)
    engine.add(["plant/pump-1"])
    return engine


def noise(slots: int, channels: int = 1) -> NDArray[np.float64]:
    """Return noise (slots, C) about 0 of deviation 1."""
    return np.random.default_rng(7).normal(size=(slots, channels))


def feed(engine: Engine, scaled: NDArray[np.float64], first: int = 0) -> Verdicts:
    slots, channels = scaled.shape
    values = (MEAN + SCALE * scaled).ravel()
    there = np.isfinite(values)
    batch = Readings(
        np.zeros(slots * channels, np.int32),
        np.tile(np.arange(channels, dtype=np.int16), slots),
        np.repeat(START_MS + (first + np.arange(slots)) * INTERVAL_MS, channels),
        values,
    )
    return engine.feed(batch.take(there))


def count(verdicts: Verdicts, change: Change) -> int:
    return int((verdicts.change == change).sum())


def location(engine: Engine) -> list[float]:
    numbers: list[float] = engine.table.field("location", ROW)[0].tolist()
    return numbers


def shifted(by: float, slots: int = CALM + 300, channels: int = 1) -> NDArray[np.float64]:
    """Return noise whose first channel stays at another level from CALM on."""
    scaled = noise(slots, channels)
    scaled[CALM:, 0] += by
    return scaled


@pytest.mark.parametrize("by", [8.0, -8.0, 1000.0])
def test_a_sustained_shift_gives_one_alarm_and_is_normal_then(make_bundle: MakeBundle, by: float) -> None:
    engine = watch(make_bundle, "sustained")
    verdicts = feed(engine, shifted(by))
    opened, accepted = (np.flatnonzero(verdicts.change == each) for each in (Change.OPENED, Change.ACCEPTED))
    assert opened.tolist() == [CALM]
    assert accepted.size == 1
    assert CALM + AFTER <= accepted[0] + 1 < CALM + 2 * AFTER
    assert verdicts.alarm[accepted[0]] == 0
    after = verdicts.take(np.arange(accepted[0] + 1, len(verdicts)))
    burn_in = engine.manifest.burn_in
    assert after.status[: burn_in - 1].tolist() == [Status.LEARNING] * (burn_in - 1)
    assert set(after.status[burn_in - 1 :].tolist()) == {Status.NORMAL}
    assert location(engine)[0] == pytest.approx(MEAN + SCALE * by, abs=SCALE * 0.6)


def test_the_learnt_spread_survives_acceptance(make_bundle: MakeBundle) -> None:
    engine = watch(make_bundle, "sustained")
    feed(engine, shifted(8.0))
    assert engine.table.field("spread", ROW)[0, 0] == pytest.approx(0.8, rel=0.15)


def test_a_second_shift_is_an_alarm_of_its_own(make_bundle: MakeBundle) -> None:
    engine = watch(make_bundle, "sustained")
    scaled = shifted(8.0, CALM + 600)
    scaled[CALM + 300 :] -= 8.0
    verdicts = feed(engine, scaled)
    assert (count(verdicts, Change.OPENED), count(verdicts, Change.ACCEPTED)) == (2, 2)
    assert location(engine)[0] == pytest.approx(MEAN, abs=SCALE)


@pytest.mark.parametrize("rule", ["never", "confirm"])
def test_a_shift_stays_one_open_alarm_unless_it_is_accepted(make_bundle: MakeBundle, rule: LevelRule) -> None:
    engine = watch(make_bundle, rule)
    verdicts = feed(engine, shifted(8.0, CALM + 1000))
    assert (count(verdicts, Change.OPENED), count(verdicts, Change.ACCEPTED)) == (1, 0)
    assert verdicts.alarm[-1] == verdicts.time[CALM]
    assert location(engine) == [MEAN]


def test_what_the_user_confirms_is_accepted_with_the_next_slot(make_bundle: MakeBundle) -> None:
    engine = watch(make_bundle, "confirm")
    scaled = shifted(8.0)
    feed(engine, scaled[: CALM + 20])
    engine.table.changed()
    assert engine.accept(ROW).tolist() == [0]
    assert engine.table.changed().tolist() == [0]
    verdicts = feed(engine, scaled[CALM + 20 :], first=CALM + 20)
    assert verdicts.change[0] == Change.ACCEPTED
    assert (count(verdicts, Change.OPENED), count(verdicts, Change.CLOSED)) == (0, 0)
    assert set(verdicts.status[10:].tolist()) == {Status.NORMAL}


def test_without_an_alarm_there_is_nothing_to_confirm(make_bundle: MakeBundle) -> None:
    engine = watch(make_bundle, "confirm")
    feed(engine, noise(CALM))
    assert engine.accept(ROW).tolist() == []
    assert location(engine) == [MEAN]


def test_a_confirmation_is_not_kept_for_a_later_alarm(make_bundle: MakeBundle) -> None:
    engine = watch(make_bundle, "confirm")
    scaled = noise(CALM + 300)
    scaled[CALM, 0] = 30.0
    scaled[CALM + 100 :] += 8.0
    feed(engine, scaled[: CALM + 1])
    assert engine.accept(ROW).tolist() == [0]
    verdicts = feed(engine, scaled[CALM + 1 :], first=CALM + 1)
    assert (count(verdicts, Change.CLOSED), count(verdicts, Change.OPENED)) == (1, 1)
    assert count(verdicts, Change.ACCEPTED) == 0


def test_a_policy_that_never_accepts_refuses_a_confirmation(make_bundle: MakeBundle) -> None:
    with pytest.raises(ConfigError, match="got never"):
        watch(make_bundle, "never").accept(ROW)


def drift(a_slot: float) -> NDArray[np.float64]:
    scaled = noise(CALM + 4000)
    scaled[CALM:, 0] += a_slot * np.arange(4000)
    return scaled


def stuck() -> NDArray[np.float64]:
    scaled = noise(CALM + 1000)
    scaled[CALM:] = 9.0
    return scaled


def noisy() -> NDArray[np.float64]:
    scaled = noise(CALM + 1000)
    scaled[CALM:] = 12.0 + 5 * scaled[CALM:]
    return scaled


def hopping() -> NDArray[np.float64]:
    scaled = noise(CALM + 1000)
    scaled[CALM:, 0] += np.where(np.arange(1000) // 15 % 2, 9.0, 20.0)
    return scaled


@pytest.mark.parametrize(
    "scaled",
    [*map(drift, (0.01, 0.02, 0.05, 0.2)), stuck(), noisy(), hopping()],
    ids=["drift .01", "drift .02", "drift .05", "drift .2", "stuck", "noisy", "hopping"],
)
def test_a_fault_is_never_sustained(make_bundle: MakeBundle, scaled: NDArray[np.float64]) -> None:
    engine = watch(make_bundle, "sustained", adapts=False)  # else the spread grows with a slow drift
    verdicts = feed(engine, scaled)
    assert count(verdicts, Change.OPENED) >= 1
    assert count(verdicts, Change.ACCEPTED) == 0
    assert location(engine) == [MEAN]


def test_only_the_channel_that_moved_is_moved(make_bundle: MakeBundle) -> None:
    engine = watch(make_bundle, "sustained", channels=2)
    verdicts = feed(engine, shifted(8.0, channels=2))
    assert count(verdicts, Change.ACCEPTED) == 1
    flow, pressure = location(engine)
    assert flow == pytest.approx(MEAN + SCALE * 8, abs=SCALE * 0.6)
    assert pressure == MEAN


def test_a_missing_channel_does_not_stand_in_the_way(make_bundle: MakeBundle) -> None:
    engine = watch(make_bundle, "sustained", channels=2)
    scaled = shifted(8.0, channels=2)
    scaled[CALM:, 1] = np.nan
    assert count(feed(engine, scaled), Change.ACCEPTED) == 1


def test_a_shift_beside_a_faulty_channel_is_not_accepted(make_bundle: MakeBundle) -> None:
    engine = watch(make_bundle, "sustained", channels=2)
    scaled = shifted(8.0, channels=2)
    scaled[CALM:, 1] = 0.5
    assert count(feed(engine, scaled), Change.ACCEPTED) == 0


def test_batches_do_not_matter_to_levels(make_bundle: MakeBundle) -> None:
    whole, scaled = watch(make_bundle, "sustained"), shifted(8.0)
    feed(whole, scaled)
    parts = Engine(whole.manifest, ExpectsTheMean(), PER_SLOT, AlarmPolicy(level="sustained", level_after=AFTER))
    parts.add(["plant/pump-1"])
    for first in range(0, len(scaled), 7):
        feed(parts, scaled[first : first + 7], first)
    assert parts.table.to_bytes(ROW) == whole.table.to_bytes(ROW)


def in_another_unit() -> NDArray[np.float64]:
    """Return calm values that are multiplied by 3.6 from CALM on, and are again as they were 100 slots later."""
    scaled = 0.1 * noise(CALM + 200)
    scaled[CALM : CALM + 100] += 2.6 * MEAN / SCALE
    return scaled


def test_a_confirmed_level_is_accepted_though_it_looks_like_another_unit(make_bundle: MakeBundle) -> None:
    engine, scaled = watch(make_bundle, "confirm", adapts=False), in_another_unit()
    before = feed(engine, scaled[: CALM + 20])
    assert before.quality[-1, 0] == Quality.UNIT
    assert engine.accept(ROW).tolist() == [0]
    after = feed(engine, scaled[CALM + 20 : CALM + 100], CALM + 20)
    assert after.change[0] == Change.ACCEPTED
    assert not after.quality.any()
    assert location(engine) == pytest.approx([3.6 * MEAN], abs=1)


def test_after_a_confirmed_level_another_unit_is_told_of_again(make_bundle: MakeBundle) -> None:
    engine, scaled = watch(make_bundle, "confirm", adapts=False), in_another_unit()
    feed(engine, scaled[: CALM + 20])
    engine.accept(ROW)
    verdicts = feed(engine, scaled[CALM + 20 :], CALM + 20)
    assert (verdicts.quality[-90:, 0] == Quality.UNIT).all()
