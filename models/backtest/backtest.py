"""A backtest: the bundle through the very engine of the service, and the baselines beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.alarm import AlarmPolicy
from edge.bundle import Bundle
from edge.errors import DataError
from edge.limits import Budget
from models.backtest.conditions import Conditions
from models.backtest.judged import Judged, judge
from models.backtest.labels import windows_of
from models.backtest.outcome import Outcome, outcome
from models.backtest.stretch import JudgedStretch, choose_stretch
from models.data.periods import Period
from models.data.recordings import Data
from models.detection import Detected, run_engine
from models.search.task import WEEK_MS


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a backtest came to."""

    bundle: Bundle
    conditions: Conditions
    detected: Detected  #: of the bundle, on all of the data
    judged: Judged  #: of the bundle
    outcomes: tuple[Outcome, ...]  #: the bundle's, then the baselines'

    @property
    def budget_per_week(self) -> float:
        """Return how many false alarms a stream may raise in a week."""
        interval_ms = self.conditions.interval_ms
        return self.conditions.budget.per_slot(interval_ms) * WEEK_MS / interval_ms


def run_backtest(
    bundle: Bundle,
    data: Callable[[int | None], Data],
    budget: Budget | None,
    policy: AlarmPolicy,
    labels: Sequence[Period] | None,
    *,
    judge_from_ms: int | None = None,
    baselines: bool = True,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> Backtest:
    """Run the bundle and the baselines over the data, and judge them on the same stretch of it.

    `data` opens the data anew, up to a moment or to its end; the budget is the bundle's own if none is given.
    `on_outcome` is told of each detector that is done. DataError if there is nothing to judge.
    """
    manifest = bundle.manifest
    budget = budget or Budget.parse(manifest.budget)
    detected = run_engine(bundle, data(None).blocks(), budget, policy)
    names, verdicts, interval_ms = detected.names, detected.verdicts, manifest.interval_ms
    if not len(verdicts):
        raise DataError("backtest: expected readings that complete at least one slot, got none")
    stretch = choose_stretch(manifest, names, verdicts, interval_ms, baselines=baselines)
    if judge_from_ms is not None:
        stretch = JudgedStretch(judge_from_ms, stretch.end_ms, "")
    windows = None if labels is None else windows_of(labels, names)
    judged = judge(verdicts, interval_ms, stretch.start_ms, windows)
    if not len(judged.verdicts):
        raise DataError("backtest: expected slots to judge, got none: the streams are still being learnt")
    conditions = Conditions(data, interval_ms, manifest.time_zone, budget, policy, stretch, windows)
    outcomes = [outcome(bundle.reference, judged)]
    on_outcome(outcomes[0])
    if baselines:
        from models.backtest.baselines import run_baselines

        outcomes += run_baselines(conditions, on_outcome)
    return Backtest(bundle, conditions, detected, judged, tuple(outcomes))
