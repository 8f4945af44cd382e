"""Recurrent layers on top of each other, each fed its own past."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class Recurrent(keras.layers.Layer):  # type: ignore[misc]
    """Keras' recurrent layers, stacked; the memory is the states of all their cells.

    Dropout drops the same features over a whole stretch (Gal and Ghahramani 2016), and only in training.
    """

    def __init__(self, layers: Sequence[Any], dropout: float) -> None:
        super().__init__(name="body")
        self._chain = list(layers)
        self._dropouts = [keras.layers.Dropout(dropout, noise_shape=(None, 1, None)) for _ in layers]

    def call(self, x: Any) -> Any:
        """Return the features (B, T, U) of a sequence (B, T, C')."""
        for layer, dropout in zip(self._chain, self._dropouts, strict=True):
            x = dropout(layer(x))
        return x

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the features (B, U) of one slot (B, C') and the memory (B, S) after it."""
        after: list[Any] = []
        for layer in self._chain:
            states = []
            for size in _state_sizes(layer):
                states.append(memory[:, :size])
                memory = memory[:, size:]
            x, states = layer.cell(x, states)
            after += states
        return x, ops.concatenate(after, axis=1)


def _state_sizes(layer: Any) -> list[int]:
    size = layer.cell.state_size
    return list(size) if isinstance(size, list | tuple) else [size]
