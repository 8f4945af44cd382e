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
STEEPEST = 0.2  #: of rare - typical: the excess of a normal distribution, which no tail is taken as steeper than
#: what is never rare: usual errors, the same, of the width of what was seen, of the channel's scale, the same
LEAST_RARE = np.array([1.0, 1.0, 0.05, 0.2, 0.01], np.float32)
#: exceedances that the excess is taken to have seen, each of one mean; shape says the same for a window, and has two
PRIOR_SLOTS = np.array([0.5, 0.5, 0.5, 0.5, 96.0])
_LN10 = np.float32(np.log(10))


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


def surprise(signals: NDArray[np.float32], records: Records) -> NDArray[np.float32]:
    """Return the surprise (n, SIGNALS) of signals (n, SIGNALS), in decades."""
    typical, rare, excess = (records[name].copy() for name in ("typical", "rare", "excess"))
    rate = -np.log10(records["rate"])
    inner = (signals - typical) / np.maximum(rare - typical, np.float32(1e-12))
    outer = (signals - rare) / (_excess(typical, rare, excess) * _LN10)
    told: NDArray[np.float32] = rate * inner.clip(0, 1) + np.maximum(outer, 0)
    told[signals <= typical] = 0
    return told


def signal_at(decades: NDArray[np.float32], records: Records, signal: int) -> NDArray[np.float32]:
    """Return the value (n,) of one signal whose surprise is so many decades (n,), in its tail: the inverse."""
    typical, rare, excess = (records[name][:, signal] for name in ("typical", "rare", "excess"))
    rate = np.log10(records["rate"][:, signal])
    beyond: NDArray[np.float32] = np.maximum(decades + rate, 0) * _LN10 * _excess(typical, rare, excess)
    return rare + beyond


def learn(signals: NDArray[np.float32], records: Records, calm: NDArray[np.bool_]) -> None:
    """Let the references of the calm rows (n,) follow one slot's signals (n, SIGNALS)."""
    weight = (calm * np.float32(1 / MEMORY_SLOTS))[:, None]
    typical, rare, rate, excess = (records[name].copy() for name in ("typical", "rare", "rate", "excess"))
    step = weight * _excess(typical, rare, excess)
    beyond = (signals > rare).astype(np.float32)
    follows = np.minimum(weight / rate, np.float32(0.1)) * beyond
    excess += follows * (signals - rare - excess)
    rate += weight * (beyond - rate)
    typical += step * ((signals > typical) * np.float32(1 / TYPICAL) - 1)
    rare += step * (beyond * np.float32(1 / RARE) - 1)
    records["typical"] = np.maximum(typical, 0)
    records["rare"] = np.maximum(np.maximum(rare, typical), LEAST_RARE)
    records["rate"] = np.maximum(rate, np.float32(LEAST_RATE))
    records["excess"] = excess


def _excess(
    typical: NDArray[np.float32], rare: NDArray[np.float32], excess: NDArray[np.float32]
) -> NDArray[np.float32]:
    steepest = np.maximum(np.float32(LEAST_EXCESS) * rare, np.float32(STEEPEST) * (rare - typical))
    least: NDArray[np.float32] = np.maximum(excess, steepest)
    return np.maximum(least, np.float32(1e-6))
