"""The Keras runtime: a forecaster before export, run as an exported one is."""

import numpy as np
from numpy.typing import NDArray

from edge.runtimes import Step
from models.forecaster import Forecaster


class KerasRuntime:
    """Executes a forecaster's step; an edge Runtime."""

    def __init__(self, forecaster: Forecaster) -> None:
        self._step = forecaster.traced_step

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        """Advance each row by one slot."""
        forecast, width, after = self._step(x, memory)
        return forecast.numpy(), None if width is None else width.numpy(), after.numpy()
