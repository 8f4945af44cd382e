"""IndRNN: recurrent neurons that each see only their own past (Li et al. 2018)."""

from typing import Any

import keras

from models.families.recurrent import Recurrent
from models.spec import ForecasterSpec

KEPT = 0.5  #: of a state after `lookback` slots, at most


def body(spec: ForecasterSpec, channels: int) -> Recurrent:  # noqa: ARG001
    """Return layers of U neurons; the memory is their states.

    Li et al. hold |u| to a bound that depends on the length of the sequences. A stream never ends, so here a state
    always fades: at most `KEPT` of it is left after `lookback` slots.
    """
    bound = KEPT ** (1 / spec.lookback)
    layers = [
        keras.layers.RNN(IndRNNCell(spec.units, spec.activation, bound), return_sequences=True, name=f"indrnn_{depth}")
        for depth in range(spec.layers)
    ]
    return Recurrent(layers, spec.dropout)


class IndRNNCell(keras.layers.Layer):  # type: ignore[misc]
    """One slot of independent neurons: h' = a(W x + u h + b), u being one number a neuron, held to |u| <= bound."""

    def __init__(self, units: int, activation: str, bound: float) -> None:
        super().__init__(name="cell")
        self.state_size = self.output_size = units
        self._bound = bound
        self._input = keras.layers.Dense(units, name="input")
        self._activation = keras.activations.get(activation)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs of a shape (B, C')."""
        self._input.build(shape)
        self._own = self.add_weight(
            name="own",
            shape=(self.state_size,),
            initializer=keras.initializers.RandomUniform(0, self._bound),
            constraint=lambda own: keras.ops.clip(own, -self._bound, self._bound),
        )
        super().build(shape)

    def call(self, x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """Return the new state (B, U) after one slot (B, C'), as output and as state."""
        after = self._activation(self._input(x) + self._own * states[0])
        return after, [after]
