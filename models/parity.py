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
    """Return the greatest difference over steps from zero memory, each with its own; infinite if any is not finite.

    A number above 1 is compared by its ratio, any other by its difference: single precision has so many digits, and a
    linear forecaster of many inputs answers noise with large numbers.
    """
    random = np.random.default_rng(0)
    memories = [np.zeros((PARITY_STREAMS, forecaster.memory_size), np.float32)] * 2
    worst = 0.0
    for _ in range(PARITY_STEPS):
        x = random.uniform(-3, 3, (PARITY_STREAMS, forecaster.inputs)).astype(np.float32)
        forecast, width, memories[0] = reference.step(x, memories[0])
        other_forecast, other_width, memories[1] = exported.step(x, memories[1])
        worst = max(worst, _difference(forecast, other_forecast), _difference(memories[0], memories[1]))
        if width is not None and other_width is not None:
            worst = max(worst, _difference(width, other_width))
    return worst


def _difference(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("inf")
    return float((np.abs(one - other) / np.maximum(np.abs(one), 1)).max(initial=0))
