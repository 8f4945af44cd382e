"""Running: a forecaster learns from a series' first rows, and the engine judges every row, as it would in service.

The same parameters hold for all series of all boards; they are here.
"""

from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np

from edge.alarm import AlarmPolicy
from edge.engine import Engine
from edge.errors import ConfigError, DataError
from edge.limits import Budget
from edge.runtimes.onnx import OnnxRuntime
from models.benchmark.floors import FLOORS
from models.benchmark.outcome import Outcome, of_scores, of_verdicts
from models.benchmark.series import Rows
from models.data.readings import of_recordings
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec

ALARMS_PER_ROW = 0.5 / 1000  #: the budget; rows, since not every board has times
POLICY = AlarmPolicy(rest=200)  #: what the limit follows
STATE = AlarmPolicy(k=3, n=32, recovery=30, release=0.7, cool_down=0)  #: how long an event is taken to go on
LOOKBACK = 4  #: slots, unless set otherwise; there are few rows to learn from, and none to spare
FALLBACK = "last"  #: of what cannot be trained
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Contender:
    """What is measured: a family with its settings, or one of FLOORS, which has none."""

    family: str
    spec: ForecasterSpec = field(default_factory=ForecasterSpec)
    training: TrainingSpec = field(default_factory=TrainingSpec)


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome of a series, and how it came about."""

    outcome: Outcome
    note: str = ""  #: what did not go as asked
    train_s: float = 0.0
    replay_s: float = 0.0


def judge(name: str, rows: Rows, contender: Contender) -> Judged:
    """Return what a contender says about every row, knowing at each only those before it, and the first rows.

    A series that it cannot be trained on is judged by the last value, and one too short even for that scores 0.
    """
    recording = rows.recording(name)
    if contender.family in FLOORS:
        began = perf_counter()
        outcome = of_scores(FLOORS[contender.family](rows.values, ALARMS_PER_ROW))
        return Judged(outcome, replay_s=perf_counter() - began)
    spec = contender.spec
    if spec.calendar and not rows.knows_days:
        spec = replace(spec, calendar=False)
    try:
        return _forecast(recording, rows.train, spec, contender.training, knows_days=rows.knows_days)
    except (DataError, ConfigError) as error:
        reason = str(error)
    try:
        fallback = ForecasterSpec(FALLBACK, lookback=1)
        judged = _forecast(recording, rows.train, fallback, TrainingSpec(), knows_days=rows.knows_days)
        return replace(judged, note=f"judged by the last value: {reason}")
    except DataError as error:
        return Judged(of_scores(np.zeros(len(rows.values))), f"all scores are 0: {error}")


def parameters(contender: Contender) -> dict[str, Any]:
    """Return all that decides the scores of a series apart from its data and the code."""
    return {
        "family": contender.family,
        "spec": None if contender.family in FLOORS else asdict(contender.spec),
        "training": None if contender.family in FLOORS else asdict(contender.training),
        "alarms_per_row": ALARMS_PER_ROW,
        "policy": asdict(POLICY),
        "state": asdict(STATE),
    }


def _forecast(
    recording: Recording, train: int, spec: ForecasterSpec, training: TrainingSpec, *, knows_days: bool
) -> Judged:
    """Train on the first rows, and run the engine over all of them."""
    from models.calibrated import train_calibrated  # Keras takes seconds, which a floor does not need
    from models.training.preparation import prepare

    began = perf_counter()
    spec = spec.sized(len(recording.channels))
    prepared = prepare([recording.part(slice(0, train))], spec, training)
    budget = budget_of(recording.interval_ms)
    calibrated = train_calibrated(prepared, spec, training, name="benchmark", budget=str(budget), knows_days=knows_days)
    trained = perf_counter()

    manifest = calibrated.manifest
    engine = Engine(manifest, OnnxRuntime(calibrated.model), budget.per_slot(recording.interval_ms), POLICY)
    engine.add([recording.name])
    verdicts = engine.feed(of_recordings([recording]))
    first_ms = recording.first * recording.interval_ms
    outcome = of_verdicts(verdicts, STATE, first_ms, recording.interval_ms, len(recording.values))
    return Judged(outcome, train_s=trained - began, replay_s=perf_counter() - trained)


def budget_of(interval_ms: int) -> Budget:
    """Return the budget in alarms an hour that is as many a row on every interval."""
    return Budget(ALARMS_PER_ROW * HOUR_MS / interval_ms, "hour")
