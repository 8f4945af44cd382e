"""From a budget of alarms to the limit on the standardised error."""

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
LAPLACE_EXCESS = 1.0  #: spreads; the mean excess of Laplace errors over any threshold
LAPLACE_WEIGHT = 8
_MOST_STEPS = 60.0  # mean excesses; beyond these a rate is no number that single precision holds
_Z95 = 1.6449  # 95 % quantile of the normal distribution
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
    """The upper tail of held-out standardised errors: `exceeding` of `count` lie above `threshold`.

    Above the threshold the excess is taken as exponential, which is the generalised Pareto tail of
    shape 0 (peaks over threshold; Pickands 1975). Few errors tell little of their mean excess. So it begins
    at that of Laplace errors, one spread, which counts as LAPLACE_WEIGHT errors (the conjugate gamma prior), and the
    limit stands on its upper 95 % confidence bound: the budget is kept, and more held-out data lowers the limit.
    """

    count: int
    exceeding: int
    threshold: float  #: spreads, as all errors here
    mean_excess: float

    @classmethod
    def fit(cls, errors: NDArray[np.floating]) -> Self:
        """Fit the tail to held-out standardised errors (n,); the upper 3 %, at least 8, are the tail."""
        if errors.size < 16:
            raise ValueError(f"tail: expected at least 16 held-out errors, got {errors.size}")
        exceeding = max(8, errors.size * 3 // 100)
        top = np.partition(errors, errors.size - exceeding - 1)[-exceeding - 1 :]
        threshold = float(top[0])
        excess = float(np.sum(top[1:] - threshold)) + LAPLACE_WEIGHT * LAPLACE_EXCESS
        return cls(errors.size, exceeding, threshold, excess / (exceeding + LAPLACE_WEIGHT))

    def limit(self, per_slot: float) -> float:
        """Return the error that is exceeded with that probability a slot, never below the threshold."""
        rate = min(per_slot * self.count / self.exceeding, 1.0)
        return self.threshold - self._scale * float(np.log(rate))

    def rate(self, error: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability a slot (n,) with which errors (n,) are exceeded: the inverse of `limit`.

        Below the threshold nothing is known but that it is exceeded more often than the threshold is.
        """
        steps = (error - np.float32(self.threshold)) / np.float32(self._scale)
        rate: NDArray[np.float32] = np.exp(-steps.clip(0, _MOST_STEPS)) * np.float32(self.exceeding / self.count)
        return rate

    @property
    def _scale(self) -> float:
        """The mean excess at its upper confidence bound."""
        return self.mean_excess * _caution(self.exceeding + LAPLACE_WEIGHT)


def _caution(count: int) -> float:
    """Return the 95 % confidence bound of an exponential mean over the mean of so many values.

    It is 2 n / chi2(0.05; 2 n), with the quantile after Wilson and Hilferty (1931).
    """
    ninth = 1 / (9 * count)
    return float((1 - ninth - _Z95 * np.sqrt(ninth)) ** -3)
