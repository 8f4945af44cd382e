"""GRU: gated recurrent units (Cho et al. 2014, with the reset gate after the product as in cuDNN)."""

from typing import Any

import keras

from models.spec import ForecasterSpec


class GRU(keras.layers.Layer):  # type: ignore[misc]
    """A layer of GRU cells; the memory is their hidden state, S = U."""

    def __init__(self, spec: ForecasterSpec, inputs: int) -> None:  # noqa: ARG002
        super().__init__(name="body")
        self.memory_size = spec.units
        self._layer = keras.layers.GRU(spec.units, return_sequences=True, reset_after=True, name="gru")

    def call(self, x: Any) -> Any:
        """Return the features (B, T, U) of a sequence (B, T, C')."""
        return self._layer(x)

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the features (B, U) of one slot (B, C') and the memory (B, S) after it."""
        features, (after,) = self._layer.cell(x, [memory])
        return features, after
