"""MLP: a multilayer perceptron on the last `lookback` slots."""

from typing import Any

import keras
from keras import ops

from models.spec import ForecasterSpec


class MLP(keras.layers.Layer):  # type: ignore[misc]
    """A dense layer on a sliding window; the memory is the inputs of the last L - 1 slots, S = (L - 1) C'.

    Over a sequence the same layer is a causal convolution as wide as the window, so that one pass over T
    slots trains T targets. Slots before the beginning are zeros.
    """

    def __init__(self, spec: ForecasterSpec, inputs: int) -> None:
        super().__init__(name="body")
        self.memory_size = (spec.lookback - 1) * inputs
        self._window = keras.layers.Conv1D(spec.units, spec.lookback, padding="causal", name="window")
        self._activation = keras.activations.get(spec.activation)

    def call(self, x: Any) -> Any:
        """Return the features (B, T, U) of a sequence (B, T, C')."""
        return self._activation(self._window(x))

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the features (B, U) of one slot (B, C') and the memory (B, S) after it."""
        window = ops.concatenate([memory, x], axis=1)
        kernel = ops.reshape(self._window.kernel, (-1, self._window.filters))
        return self._activation(window @ kernel + self._window.bias), window[:, x.shape[1] :]
