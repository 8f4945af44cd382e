"""The baselines beside a bundle: forecasters that need no network, behind the same scoring, limit and alarm policy."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.errors import ForesenseError
from models.backtest.conditions import Conditions
from models.backtest.judged import judge
from models.backtest.outcome import Outcome, outcome
from models.data.recordings import Recording, read_recordings
from models.detection import run_engine
from models.search.comparison import BASELINES
from models.search.space import settings_for
from models.spec import MOST_SEASON, read_settings

DAY_MS = 86_400_000
LEAST_DAYS = 4  #: of learning, for a season of a day


def run_baselines(conditions: Conditions, on_outcome: Callable[[Outcome], None]) -> list[Outcome]:
    """Return what each baseline does: it learns from the data before the stretch, and runs through all of it.

    One that cannot be made says why. `on_outcome` is told of each.
    """
    recordings: list[Recording] = []
    failure = ""
    try:
        recordings, _ = read_recordings(conditions.data(conditions.stretch.start_ms), conditions.interval_ms)
    except ForesenseError as error:
        failure = str(error)
    found = []
    for family in BASELINES:
        found.append(Outcome(family, failure=failure) if failure else _try(family, recordings, conditions))
        on_outcome(found[-1])
    return found


def season(recordings: Sequence[Recording]) -> dict[str, str]:
    """Return a day as the setting of a season where the recordings hold several; nothing where they do not."""
    interval_ms = recordings[0].interval_ms
    slots = DAY_MS // interval_ms
    enough = max(len(each.values) for each in recordings) >= LEAST_DAYS * slots
    return {"season": str(slots)} if 1 < slots <= MOST_SEASON and enough and DAY_MS % interval_ms == 0 else {}


def _try(family: str, recordings: Sequence[Recording], conditions: Conditions) -> Outcome:
    from models.bundling import train_bundle

    spec, training = read_settings(settings_for(family, season(recordings)))
    try:
        with tempfile.TemporaryDirectory(prefix="foresense-") as folder:
            bundle = train_bundle(
                recordings, spec, training, name=family, out=Path(folder), time_zone=conditions.time_zone
            )
    except ForesenseError as error:
        return Outcome(family, failure=str(error))
    detected = run_engine(bundle, conditions.data(None).blocks(), conditions.budget, conditions.policy)
    judged = judge(detected.verdicts, conditions.interval_ms, conditions.stretch.start_ms, conditions.windows)
    return outcome(family, judged)
