"""The conditions of a backtest: what all detectors in it have in common."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.alarm import AlarmPolicy
from edge.limits import Budget
from models.backtest.spans import Spans
from models.backtest.stretch import JudgedStretch
from models.data.recordings import Data


@dataclass(frozen=True, slots=True)
class Conditions:
    """The same data, budget, policy, stretch and labels for each."""

    data: Callable[[int | None], Data]  #: opens the data anew, up to a moment (ms) or to its end
    interval_ms: int
    time_zone: str
    budget: Budget
    policy: AlarmPolicy
    stretch: JudgedStretch
    windows: Spans | None  #: None without labels
