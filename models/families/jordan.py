"""Jordan network: a hidden layer that is fed the past outputs of the output layer above it (Jordan 1986)."""

from typing import Any

import keras

from models.families.recurrent import Recurrent
from models.spec import ForecasterSpec

DECAY = 0.5  #: the share of itself that a context unit keeps at each slot


def body(spec: ForecasterSpec, channels: int) -> Recurrent:  # noqa: ARG001
    """Return layers of U hidden and U output units; the memory is their contexts."""
    layers = [
        keras.layers.RNN(JordanCell(spec.units, spec.activation), return_sequences=True, name=f"jordan_{depth}")
        for depth in range(spec.layers)
    ]
    return Recurrent(layers, spec.dropout)


class JordanCell(keras.layers.Layer):  # type: ignore[misc]
    """One slot of a Jordan layer.

    The context c, Jordan's state units, is fed by the output and by itself, with fixed weights:
    h = a(W x + V c + b), y = a(O h + d), c' = DECAY c + y. Jordan's outputs are the network's own; here the output
    layer is as wide as the hidden one and the forecaster's head reads it, so that layers can be stacked.
    """

    def __init__(self, units: int, activation: str) -> None:
        super().__init__(name="cell")
        self.state_size = self.output_size = units
        self._input = keras.layers.Dense(units, name="input")
        self._context = keras.layers.Dense(
            units, use_bias=False, kernel_initializer="orthogonal", name="context"
        )  # orthogonal, as Keras' own recurrent weights are
        self._output = keras.layers.Dense(units, activation, name="output")
        self._activation = keras.activations.get(activation)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs of a shape (B, C')."""
        self._input.build(shape)
        self._context.build((None, self.state_size))
        self._output.build((None, self.state_size))
        super().build(shape)

    def call(self, x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """Return the output (B, U) of one slot (B, C') and the context after it."""
        (context,) = states
        output = self._output(self._activation(self._input(x) + self._context(context)))
        return output, [DECAY * context + output]
