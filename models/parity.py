"""Parity: an exported step answers as the trained network does, in the runtime that will execute it."""

import numpy as np
from numpy.typing import NDArray

from edge.errors import BundleError
from edge.runtimes import Runtime
from models.forecaster import Forecaster
from models.runtime import KerasRuntime

TOLERANCE = 1e-5  #: between Keras and a runtime, scaled, after PARITY_STEPS
PARITY_STEPS = 256
PARITY_STREAMS = 4


def parity_error(forecaster: Forecaster, exported: Runtime, file: str) -> float:
    """Return how far the step in a bundle's file strays from Keras; BundleError if by more than the tolerance."""
    error = _divergence(KerasRuntime(forecaster), exported, forecaster)
    if not error <= TOLERANCE:
        raise BundleError(
            f"{file}: expected forecasts and widths within {TOLERANCE:g} of the trained network's over "
            f"{PARITY_STEPS} steps, got {error:.2g}"
        )
    return error


def _divergence(reference: Runtime, exported: Runtime, forecaster: Forecaster) -> float:
    """Return the greatest difference over steps from zero memory, each with its own; infinite if any is not finite."""
    random = np.random.default_rng(0)
    memories = [np.zeros((PARITY_STREAMS, forecaster.memory_size), np.float32)] * 2
    gaps = [_Gap(), _Gap(), _Gap()]
    for _ in range(PARITY_STEPS):
        x = random.uniform(-3, 3, (PARITY_STREAMS, forecaster.inputs)).astype(np.float32)
        forecast, width, memories[0] = reference.step(x, memories[0])
        other_forecast, other_width, memories[1] = exported.step(x, memories[1])
        gaps[0].take(forecast, other_forecast)
        gaps[1].take(*memories)
        if width is not None and other_width is not None:
            gaps[2].take(width, other_width)
    return max(gap.error for gap in gaps)


class _Gap:
    """How far two runs of the same numbers lie apart.

    Each number's greatest difference counts as a share of its root mean square, where that is above 1. Single precision
    has so many digits, and a linear forecaster of many inputs answers noise with sums of large numbers, which may be
    small themselves.
    """

    def __init__(self) -> None:
        self._worst, self._power, self._runs = np.zeros(()), np.zeros(()), 0

    def take(self, one: NDArray[np.floating], other: NDArray[np.floating]) -> None:
        """Take in the numbers (streams, ...) of both after one step."""
        finite = np.isfinite(one) & np.isfinite(other)
        apart = np.where(finite, np.abs(one - other), np.inf)
        self._worst = np.maximum(self._worst, apart.max(axis=0))
        self._power = self._power + np.square(one, dtype=np.float64).mean(axis=0)
        self._runs += 1

    @property
    def error(self) -> float:
        """Return the greatest difference of all."""
        if self._runs == 0:
            return 0.0
        size = np.sqrt(np.where(np.isfinite(self._worst), self._power, 0) / self._runs)
        return float((self._worst / np.maximum(size, 1)).max(initial=0))
