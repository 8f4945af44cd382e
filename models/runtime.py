"""The Keras runtime: a forecaster before export, run as an exported one is."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.forecaster import Forecaster


class KerasRuntime:
    """Executes a forecaster's step; an edge Runtime."""

    def __init__(self, forecaster: Forecaster) -> None:
        self._step = tf.function(forecaster.step, input_signature=step_signature(forecaster))

    def step(
        self, x: NDArray[np.float32], memory: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Advance each row by one slot."""
        forecast, after = self._step(x, memory)
        return forecast.numpy(), after.numpy()


def step_signature(forecaster: Forecaster) -> list[tf.TensorSpec]:
    """Return what a step takes: x (None, C') and memory (None, S)."""
    return [
        tf.TensorSpec([None, forecaster.inputs], tf.float32, name="x"),
        tf.TensorSpec([None, forecaster.memory_size], tf.float32, name="memory"),
    ]
