"""Surprise: how seldom a stream shows so high a signal, in decades, against what it has shown before.

A signal is a number from 0 up that grows with what is unusual. Of each signal a stream remembers four numbers, which
follow the signal over about MEMORY_SLOTS slots:

    typical   its median
    rare      what 3 % of the slots exceed
    rate      the share of slots that do exceed it (less than 3 % for a signal that is mostly 0)
    excess    by how much, on average

    surprise = 0                                             up to typical
             = -log10(rate) * (z - typical) / (rare - typical)   up to rare
             = -log10(rate) + (z - rare) / (excess * ln 10)      above: an exponential tail (peaks over threshold)

So 3.0 is what one slot in a thousand shows. The two quantiles are followed by stochastic approximation (Robbins and
Monro 1951) with the step that the tail's density calls for.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edge.state import Records

MEMORY_SLOTS = 8192
TYPICAL, RARE = 0.5, 0.03  #: the shares of slots that exceed them
LEAST_RATE = 1e-4
LEAST_EXCESS = 0.05  #: of rare; a tail is never taken as steeper
#: of rare - typical: the excess of a normal distribution, which no tail is taken as steeper than
STEEPEST = np.array(0.2, np.float32)
#: what is never rare: usual errors, the same, of the width of what was seen, of the channel's scale, the same
LEAST_RARE = np.array([1.0, 1.0, 0.05, 0.2, 0.01], np.float32)
#: exceedances that the excess is taken to have seen, each of one mean; shape says the same for a window, and has two
PRIOR_SLOTS = np.array([0.5, 0.5, 0.5, 0.5, 96.0])
# Arrays without a dimension, which calculations take twice as fast as numbers
_NOTHING, _ALL, _LN10 = (np.array(number, np.float32) for number in (0, 1, np.log(10)))
_LEAST_WIDTH, _LEAST_MEAN, _LEAST_RATE = (np.array(number, np.float32) for number in (1e-12, 1e-6, LEAST_RATE))
_LEAST_EXCESS = np.array(LEAST_EXCESS, np.float32)
_STEP, _FASTEST = np.array(1 / MEMORY_SLOTS, np.float32), np.array(0.1, np.float32)
_TO_TYPICAL, _TO_RARE = np.array(1 / TYPICAL, np.float32), np.array(1 / RARE, np.float32)


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a stream's surprise begins; one number a signal, in the order of state.SIGNALS."""

    typical: tuple[float, ...]
    rare: tuple[float, ...]
    rate: tuple[float, ...]
    excess: tuple[float, ...]

    @classmethod
    def fit(cls, signals: NDArray[np.floating]) -> Self:
        """Return the reference of signals (n, SIGNALS) that were seen while nothing was wrong."""
        typical, rare = np.quantile(signals, [1 - TYPICAL, 1 - RARE], axis=0, method="lower")
        rare = np.maximum(rare, LEAST_RARE)
        beyond = signals > rare
        count = beyond.sum(axis=0)
        above = np.where(beyond, signals - rare, 0).sum(axis=0)
        mean = signals.mean(axis=0) + 1e-6
        excess = (above + PRIOR_SLOTS * mean) / (count + PRIOR_SLOTS)
        rate = np.maximum(count, 0.5) / len(signals)
        return cls(*(tuple(map(float, each)) for each in (typical, rare, rate, excess)))

    def begin(self, records: Records) -> None:
        """Give new records the reference."""
        for name in ("typical", "rare", "rate", "excess"):
            records[name] = getattr(self, name)


class Followed:
    """The references of one slot's n streams, and what is worked out of them once."""

    def __init__(self, records: Records) -> None:
        self._typical, self._rare = records["typical"], records["rare"]
        self._rate, self._mean = records["rate"], records["excess"]
        self._width = self._rare - self._typical
        steepest = np.maximum(_LEAST_EXCESS * self._rare, STEEPEST * self._width)
        self._excess = np.maximum(np.maximum(self._mean, steepest), _LEAST_MEAN)
        self._decades = np.log10(self._rate)

    def surprise(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the surprise (n, SIGNALS) of signals (n, SIGNALS), in decades."""
        inner = np.maximum(signals - self._typical, _NOTHING) / np.maximum(self._width, _LEAST_WIDTH)
        outer = np.maximum(signals - self._rare, _NOTHING) / (self._excess * _LN10)
        told: NDArray[np.float32] = outer - self._decades * np.minimum(inner, _ALL)
        return told

    def signal_at(self, decades: NDArray[np.float32], signal: int) -> NDArray[np.float32]:
        """Return the value (n,) of one signal whose surprise is so many decades (n,), in its tail: the inverse."""
        beyond = np.maximum(decades + self._decades[:, signal], _NOTHING) * _LN10 * self._excess[:, signal]
        value: NDArray[np.float32] = self._rare[:, signal] + beyond
        return value

    def learn(self, signals: NDArray[np.float32], calm: NDArray[np.bool_]) -> None:
        """Let the references of the calm rows (n,) follow the slot's signals (n, SIGNALS)."""
        weight = (calm * _STEP)[:, None]
        step = weight * self._excess
        above = signals - self._rare
        beyond = (above > _NOTHING).astype(np.float32)
        follows = np.minimum(weight / self._rate, _FASTEST) * beyond
        typical = self._typical + step * ((signals > self._typical) * _TO_TYPICAL - _ALL)
        rare = self._rare + step * (beyond * _TO_RARE - _ALL)
        self._mean += follows * (above - self._mean)
        np.maximum(self._rate + weight * (beyond - self._rate), _LEAST_RATE, out=self._rate)
        np.maximum(typical, _NOTHING, out=self._typical)
        np.maximum(np.maximum(rare, typical), LEAST_RARE, out=self._rare)
