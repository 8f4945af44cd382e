"""LSTM: long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers 2000)."""

from typing import Any

import keras
from keras import ops

from models.spec import ForecasterSpec


class LSTM(keras.layers.Layer):  # type: ignore[misc]
    """A layer of LSTM cells; the memory is their hidden state and their cell state, S = 2U."""

    def __init__(self, spec: ForecasterSpec, inputs: int) -> None:  # noqa: ARG002
        super().__init__(name="body")
        self.memory_size = 2 * spec.units
        self._layer = keras.layers.LSTM(spec.units, return_sequences=True, name="lstm")

    def call(self, x: Any) -> Any:
        """Return the features (B, T, U) of a sequence (B, T, C')."""
        return self._layer(x)

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the features (B, U) of one slot (B, C') and the memory (B, S) after it."""
        features, states = self._layer.cell(x, ops.split(memory, 2, axis=1))
        return features, ops.concatenate(states, axis=1)
