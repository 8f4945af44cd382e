from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.engine import Engine
from edge.manifest import Channel
from edge.quality import Quality, words
from edge.reading import Readings, Status, Verdicts
from edge.runtimes import Step
from tests.conftest import INTERVAL_MS, START_MS, LastValue, manifest_of

PER_SLOT = 1e-5  #: alarms
NOISE = np.random.default_rng(5).normal(size=400)


class TimeOfDay:
    """A runtime that expects ten times the sine of the local time of day."""

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        return 10 * x[:, 1:2, None], None, memory


def engine_of(*channels: Channel, location: float = 0.0, stream: str = "known") -> Engine:
    manifest = manifest_of(*channels, location=location, burn_in=20, max_gap=50)
    engine = Engine(manifest, LastValue(), PER_SLOT)
    engine.add([stream])
    return engine


def slots(values: NDArray[np.float64] | list[float], channel: int = 0, first: int = 0) -> Readings:
    there = np.flatnonzero(np.isfinite(values))
    return Readings(
        np.zeros(len(there), np.int32),
        np.full(len(there), channel, np.int16),
        START_MS + (first + there) * INTERVAL_MS,
        np.asarray(values, float)[there],
    )


def together(*batches: Readings) -> Readings:
    whole = Readings.concatenate(list(batches))
    return whole.take(np.argsort(whole.time, kind="stable"))


def flagged(verdicts: Verdicts, flag: Quality, channel: int = 0) -> list[int]:
    """Return the slots, from START_MS on, that have the flag."""
    at = (verdicts.quality[:, channel] & flag) != 0
    numbers: list[int] = ((verdicts.time[at] - START_MS) // INTERVAL_MS).tolist()
    return numbers


def test_noise_is_clean() -> None:
    verdicts = engine_of(Channel("flow")).feed(slots(NOISE))
    assert not verdicts.quality.any()
    assert (verdicts.coverage == 1).all()


def test_a_silent_stream_is_told_of_once_and_scored_again_afterwards() -> None:
    engine = engine_of(Channel("flow"))
    values = NOISE[:200].copy()
    values[100:120] = np.nan
    verdicts = engine.feed(slots(values))
    assert flagged(verdicts, Quality.SILENT) == [104]  # 99 and three times a rhythm of one, and two
    (silent,) = np.flatnonzero(verdicts.quality[:, 0])
    assert verdicts.coverage[silent] == 0
    assert np.isnan(verdicts.score[silent])
    assert verdicts.channel[silent] == -1
    assert np.isfinite(verdicts.score[silent + 1 :]).all()


def test_a_tick_tells_of_silence() -> None:
    engine = engine_of(Channel("flow"))
    engine.feed(slots(NOISE[:100]))
    assert len(engine.tick(START_MS + 104 * INTERVAL_MS)) == 0
    assert flagged(engine.tick(START_MS + 105 * INTERVAL_MS), Quality.SILENT) == [104]
    assert len(engine.tick(START_MS + 300 * INTERVAL_MS)) == 0


def test_a_channel_falls_silent_while_the_other_is_watched_on() -> None:
    engine = engine_of(Channel("flow"), Channel("heat"))
    heat = NOISE[200:300].copy()
    heat[50:] = np.nan
    verdicts = engine.feed(together(slots(NOISE[:100]), slots(heat, channel=1)))
    assert flagged(verdicts, Quality.SILENT, channel=1) == [54]
    assert flagged(verdicts, Quality.SILENT) == []
    assert verdicts.coverage[-1] == 0.5
    assert np.isfinite(verdicts.score[50:]).all()


def test_a_rhythm_with_pauses_is_no_silence() -> None:
    values = np.where(np.arange(300) % 6 == 0, NOISE[:300], np.nan)
    assert flagged(engine_of(Channel("flow")).feed(slots(values)), Quality.SILENT) == []


def test_a_sensor_that_repeats_itself_for_too_long_is_stuck() -> None:
    values = NOISE[:200].copy()
    values[100:130] = values[99]
    verdicts = engine_of(Channel("flow")).feed(slots(values))
    assert flagged(verdicts, Quality.STUCK) == list(range(105, 130))
    assert (verdicts.coverage[105:130] == 0).all()
    assert verdicts.status[131:].tolist() == [Status.NORMAL] * 69


def test_a_constant_sensor_is_never_stuck() -> None:
    assert not engine_of(Channel("flow")).feed(slots([7.0] * 300)).quality.any()


def test_a_sensor_that_rested_for_long_before_it_first_moved_may_rest_as_long_again() -> None:
    values = np.concatenate([np.full(100, 7.0), NOISE[:20], np.full(100, 7.0), NOISE[20:30]])
    assert not engine_of(Channel("flow")).feed(slots(values)).quality.any()


def test_a_sensor_that_rests_twice_as_long_as_ever_is_stuck() -> None:
    values = np.concatenate([np.full(101, 7.0), NOISE[:20], np.full(300, 7.0)])
    stuck = flagged(engine_of(Channel("flow")).feed(slots(values)), Quality.STUCK)
    run = stuck[0] - 121  # values that repeated the one before; the longest was 100, and has faded with each move
    assert 2 * 100 * (1 - 1 / 256) ** 20 + 5 < run <= 2 * 100 + 5


def test_a_sensor_that_moves_in_bursts_may_rest_between_them() -> None:
    values = np.concatenate([NOISE[:20], np.full(10, 7.0), NOISE[20:100], np.full(16, 7.0), NOISE[100:110]])
    stuck = flagged(engine_of(Channel("flow")).feed(slots(values)), Quality.STUCK)
    assert stuck == list(range(26, 30))  # the first rest alone


def test_no_sensor_is_stuck_while_its_siblings_rest_as_well() -> None:
    values = NOISE[:200].copy()
    values[100:] = values[99]
    resting = engine_of(Channel("flow"), Channel("heat"))
    assert not resting.feed(together(slots(values), slots(values, channel=1))).quality.any()
    moving = engine_of(Channel("flow"), Channel("heat"))
    verdicts = moving.feed(together(slots(values), slots(NOISE[200:], channel=1)))
    assert flagged(verdicts, Quality.STUCK)[0] == 105


def test_a_value_outside_of_the_physical_range_is_not_scored() -> None:
    values = NOISE[:60].copy()
    values[40] = 500.0
    verdicts = engine_of(Channel("flow", least=-50, most=50)).feed(slots(values))
    assert flagged(verdicts, Quality.RANGE) == [40]
    assert np.isnan(verdicts.score[40])
    assert verdicts.alarm.max() == 0


def test_a_counter_becomes_a_rate_and_survives_its_reset() -> None:
    totals = np.cumsum(np.full(60, 20.0))
    totals[40:] -= totals[39]
    verdicts = engine_of(Channel("flow", counter=True)).feed(slots(totals))
    assert np.isnan(verdicts.value[0, 0])
    np.testing.assert_allclose(verdicts.value[1:, 0], 2.0)  # 20 in 10 s
    assert flagged(verdicts, Quality.RESET) == [40]


def test_a_reading_from_2099_does_not_make_the_stream_deaf() -> None:
    engine = engine_of(Channel("flow"))
    batch = slots(NOISE[:100])
    batch.time[50] = 4_070_908_800_000
    verdicts = engine.feed(batch)
    assert len(verdicts) == 99
    assert flagged(verdicts, Quality.CLOCK) == [51]
    assert engine.ignored.clock == 1
    assert np.isfinite(verdicts.score[51])  # the value itself is clean


def test_a_pause_is_believed_once_a_second_reading_agrees() -> None:
    engine = engine_of(Channel("flow"))
    engine.feed(slots(NOISE[:100]))
    assert len(engine.feed(slots(NOISE[:1], first=900))) == 0
    assert (engine.feed(slots(NOISE[:1], first=901)).time - START_MS).tolist() == [
        104 * INTERVAL_MS,
        900 * INTERVAL_MS,
        901 * INTERVAL_MS,
    ]
    assert engine.ignored.clock == 0


@pytest.mark.parametrize(("factor", "offset"), [(1000.0, 0.0), (1 / 3.6, 0.0), (60.0, 0.0), (1.8, 32.0), (1.0, 273.15)])
def test_a_value_in_another_unit_is_told_of_after_three_slots(factor: float, offset: float) -> None:
    values = 20 + 0.05 * NOISE[:200]
    values[100:150] = values[100:150] * factor + offset
    engine = engine_of(Channel("flow"), location=20.0)
    verdicts = engine.feed(slots(values))
    assert flagged(verdicts, Quality.UNIT) == list(range(102, 150))


@pytest.mark.parametrize(("usual", "leap"), [(101_325.0, 500.0), (1e-12, 4e-12)])
def test_a_leap_that_no_conversion_makes_is_an_anomaly(usual: float, leap: float) -> None:
    values = usual * (1 + 1e-5 * NOISE[:200])
    values[100:150] += leap
    engine = engine_of(Channel("pressure"), stream="new")
    verdicts = engine.feed(slots(values))
    assert not flagged(verdicts, Quality.UNIT)
    assert verdicts.status[100] == Status.ANOMALY


def test_a_value_that_leaps_to_and_fro_is_flapping() -> None:
    values = NOISE[:200].copy()
    values[100:140:2] += 100
    verdicts = engine_of(Channel("flow")).feed(slots(values))
    found = flagged(verdicts, Quality.FLAPPING)
    assert found[0] == 105
    assert set(range(105, 140)) <= set(found) <= set(range(105, 145))


def test_a_pump_that_honestly_switches_is_not_flapping() -> None:
    values = np.where(np.arange(300) // 5 % 2, 50.0, 0.0) + NOISE[:300]
    assert not flagged(engine_of(Channel("flow")).feed(slots(values)), Quality.FLAPPING)


def test_a_baseline_watches_while_the_scale_is_learnt() -> None:
    engine = engine_of(Channel("flow"), stream="new")
    values = 50 + NOISE[:40]
    values[30] = 500.0
    verdicts = engine.feed(slots(values))
    assert (verdicts.status == Status.LEARNING).all()
    assert verdicts.ready_in.tolist() == list(range(60, 20, -1))
    assert np.isnan(verdicts.score[:16]).all()
    assert (verdicts.score[16:30] < 1).all()
    assert verdicts.score[30] > 3
    assert verdicts.alarm[30] == verdicts.time[30]


@pytest.mark.parametrize(
    ("aggregate", "expected"), [("last", 5.0), ("mean", 3.0), ("min", 1.0), ("max", 5.0), ("sum", 9.0), ("first", 1.0)]
)
def test_readings_of_a_slot_become_its_value(aggregate: str, expected: float) -> None:
    engine = engine_of(Channel("flow", aggregate=aggregate))
    batch = replace(slots([1.0, 3.0, 5.0, 7.0]), time=START_MS + np.array([0, 2000, 4000, 10_000]))
    verdicts = [*engine.feed(batch).value[:, 0].tolist(), *engine.tick(START_MS + 20_000).value[:, 0].tolist()]
    assert verdicts == [expected, 7.0]


@pytest.mark.parametrize(("gap", "fed"), [("forecast", 2.0), ("hold", 2.0), ("mask", 0.0)])
def test_a_missing_channel_is_fed_as_its_gap_policy_says(gap: str, fed: float) -> None:
    engine = engine_of(Channel("flow"), Channel("heat", gap=gap))
    engine.feed(together(slots([1.0] * 30), slots([2.0] * 30, channel=1)))
    engine.feed(slots([1.0], first=30))
    engine.tick(START_MS + 31 * INTERVAL_MS)
    assert engine.table.field("memory", np.array([0], np.int32)).tolist() == [[1.0, fed]]


def test_flags_are_told_in_words() -> None:
    assert words(0) == ""
    assert words(int(Quality.SILENT | Quality.UNIT)) == "silent+unit"


@pytest.mark.parametrize(("start", "hours"), [("2026-03-28", 23), ("2026-10-24", 25)])
def test_a_day_that_is_an_hour_shorter_or_longer_raises_no_alarm(start: str, hours: int) -> None:
    interval_ms = 600_000
    local = ZoneInfo("Europe/Rome")
    first = int(datetime.fromisoformat(start).replace(tzinfo=local).timestamp() * 1000)
    sunday = datetime.fromisoformat(start).replace(tzinfo=local) + timedelta(days=1)
    assert (sunday + timedelta(days=1)).timestamp() - sunday.timestamp() == hours * 3600
    known = manifest_of(Channel("heat"), interval_ms=interval_ms, burn_in=20, least=-10.0, most=10.0)
    manifest = replace(known, calendar=True, time_zone="Europe/Rome")
    engine = Engine(manifest, TimeOfDay(), PER_SLOT)
    engine.add(["known"])
    time = first + np.arange(3 * 144) * interval_ms
    wall = [datetime.fromtimestamp(ms / 1000, local) for ms in time.tolist()]
    value = np.array([10 * np.sin(2 * np.pi * (at.hour * 60 + at.minute) / 1440) for at in wall])
    batch = Readings(np.zeros(len(time), np.int32), np.zeros(len(time), np.int16), time, value)
    verdicts = engine.feed(batch)
    assert np.nanmax(verdicts.score) < 0.01
    assert not verdicts.alarm.any()
    assert not verdicts.quality.any()
