"""Elman network: a layer that is fed its own last output (Elman 1990)."""

from typing import Any

import keras

from models.spec import ForecasterSpec


class Elman(keras.layers.Layer):  # type: ignore[misc]
    """A layer of simple recurrent cells; the memory is their hidden state, S = U."""

    def __init__(self, spec: ForecasterSpec, inputs: int) -> None:  # noqa: ARG002
        super().__init__(name="body")
        self.memory_size = spec.units
        self._layer = keras.layers.SimpleRNN(spec.units, return_sequences=True, name="elman")

    def call(self, x: Any) -> Any:
        """Return the features (B, T, U) of a sequence (B, T, C')."""
        return self._layer(x)

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the features (B, U) of one slot (B, C') and the memory (B, S) after it."""
        features, (after,) = self._layer.cell(x, [memory])
        return features, after
