"""A day of 23 or 25 hours is a day like any other: training to engine, on a plant that keeps local hours."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge.engine import Engine
from edge.limits import Budget
from edge.reading import Change
from edge.runtimes.onnx import OnnxRuntime
from models.calibrated import train_calibrated
from models.data.readings import of_recordings
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training.preparation import prepare

ROME = ZoneInfo("Europe/Rome")
INTERVAL_MS, DAY = 1_800_000, 48
BUDGET = Budget.parse("1 per year")


def shifts(first_day: str, days: int) -> Recording:
    """Return a pump that runs from six to ten at night by the clock on the wall."""
    first = int(datetime.fromisoformat(first_day).replace(tzinfo=ROME).timestamp() * 1000) // INTERVAL_MS
    hours = [datetime.fromtimestamp(slot * INTERVAL_MS / 1000, ROME).hour for slot in range(first, first + days * DAY)]
    runs = np.array([6 <= hour < 22 for hour in hours])
    noise = np.random.default_rng(first).normal(size=len(runs))
    return Recording("pump", ("flow",), INTERVAL_MS, first, (20 + 10 * runs + 0.2 * noise)[:, None])


def alarms(learnt_from: str, watched_from: str, time_zone: str) -> int:
    """Return the alarms of ten days, after six weeks of training."""
    learnt, watched = shifts(learnt_from, 42), shifts(watched_from, 10)
    spec, training = ForecasterSpec("ar", lookback=4).sized(1), TrainingSpec()
    prepared = prepare([learnt], spec, training, time_zone)
    made = train_calibrated(prepared, spec, training, name="pump", budget=str(BUDGET), time_zone=time_zone)
    engine = Engine(made.manifest, OnnxRuntime(made.model), BUDGET.per_slot(INTERVAL_MS))
    engine.add(["pump"])
    engine.feed(of_recordings([learnt]))
    verdicts = engine.feed(of_recordings([watched]))
    return int(np.count_nonzero(verdicts.change == Change.OPENED))


@pytest.mark.slow
@pytest.mark.parametrize(("learnt_from", "watched_from"), [("2026-02-12", "2026-03-26"), ("2026-09-10", "2026-10-22")])
def test_when_clocks_are_changed_there_is_no_alarm_in_the_plant_s_zone_and_there_is_one_in_another(
    learnt_from: str, watched_from: str
) -> None:
    assert alarms(learnt_from, watched_from, "Europe/Rome") == 0
    assert alarms(learnt_from, watched_from, "UTC") > 0
