"""From a budget of alarms to the limit on the surprise."""

import math
import re
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError

_PERIOD_MS = {
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 7 * 86_400_000,
    "month": 2_629_746_000,  # the mean month of the Gregorian calendar
    "year": 31_556_952_000,
}
PRIOR_EXCESS = 0.9  #: decades; about what real streams show
PRIOR_WEIGHT = 24
LEAST_SLOTS = 16
_MOST_STEPS = np.array(60, np.float32)  # mean excesses; beyond these a rate is no number that single precision holds
_NOTHING = np.array(0, np.float32)
_BUDGET = re.compile(r"(\d+(?:\.\d+)?) *(?:per|/) *([a-z]+?)s?( +for +the +(?:monitor|fleet))?")


@dataclass(frozen=True, slots=True)
class Budget:
    """How many alarms a stream, or a whole fleet of them, may raise, on average, while nothing is wrong."""

    alarms: float
    period: str
    fleet: bool = False  #: whether all streams of a monitor together may raise so many

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a budget such as '2 per week'; ConfigError on any other form.

        >>> Budget.parse("2 per week")
        Budget(alarms=2.0, period='week', fleet=False)
        """
        match = _BUDGET.fullmatch(text.strip().lower())
        if match is None or match[2] not in _PERIOD_MS or float(match[1]) <= 0:
            raise ConfigError(
                f"budget: expected a rate such as '2 per week' (per {', '.join(_PERIOD_MS)}), got {text!r}"
            )
        return cls(float(match[1]), match[2], match[3] is not None)

    def __str__(self) -> str:
        return f"{self.alarms:g} per {self.period}" + (" for the monitor" if self.fleet else "")

    def shared(self, streams: int) -> Self:
        """Return the budget of each stream when so many are watched.

        >>> Budget.parse("10 per week for the monitor").shared(20)
        Budget(alarms=0.5, period='week', fleet=False)
        """
        return replace(self, alarms=self.alarms / max(streams, 1), fleet=False) if self.fleet else self

    def per_slot(self, interval_ms: int) -> float:
        """Return the budget as alarms a slot of one stream; ConfigError if it is still to be shared."""
        if self.fleet:
            raise ConfigError(f"budget: expected that of each stream, such as '2 per week', got '{self}'")
        return self.alarms * interval_ms / _PERIOD_MS[self.period]


@dataclass(frozen=True, slots=True)
class Tail:
    """The upper tail of the surprises of slots, in decades: `exceeding` of `count` lie above `threshold`.

    Above the threshold the excess is taken as exponential, which is the generalised Pareto tail of
    shape 0 (peaks over threshold; Pickands 1975). Few slots tell little of their mean excess. So it begins at
    PRIOR_EXCESS, which counts as PRIOR_WEIGHT slots (the conjugate gamma prior).
    """

    count: int
    exceeding: int
    threshold: float  #: decades
    mean_excess: float  #: decades

    @classmethod
    def fit(cls, surprises: NDArray[np.floating]) -> Self:
        """Fit the tail to the surprises of slots (n,); the upper 3 %, at least 8, are the tail."""
        if surprises.size < LEAST_SLOTS:
            raise ValueError(f"tail: expected at least {LEAST_SLOTS} slots, got {surprises.size}")
        exceeding = max(8, surprises.size * 3 // 100)
        top = np.partition(surprises, surprises.size - exceeding - 1)[-exceeding - 1 :]
        threshold = float(top[0])
        excess = float(np.sum(top[1:] - threshold)) + PRIOR_WEIGHT * PRIOR_EXCESS
        return cls(surprises.size, exceeding, threshold, excess / (exceeding + PRIOR_WEIGHT))

    def limit(self, per_slot: float) -> float:
        """Return the surprise that is exceeded with that probability a slot.

        It is never below the threshold, nor below what one signal alone exceeds with that probability.
        """
        if per_slot == 0:
            return math.inf
        rate = min(per_slot * self.count / self.exceeding, 1.0)
        return max(self.threshold - self.mean_excess * math.log(rate), -math.log10(per_slot))

    def once_in(self, surprises: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return in how many slots (n,) surprises (n,) are exceeded once, on average: the inverse of `limit`.

        Below the threshold nothing is known but that it is exceeded more often than the threshold is.
        """
        steps = (surprises - self.threshold) / self.mean_excess
        held = np.minimum(np.maximum(steps, _NOTHING), _MOST_STEPS)
        slots: NDArray[np.float32] = np.exp(held) * (self.count / self.exceeding)
        return slots
