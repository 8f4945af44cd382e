"""MLP: a multilayer perceptron on the last `lookback` slots (Rumelhart et al. 1986)."""

import keras

from models.families.window import Windowed
from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> Windowed:  # noqa: ARG001
    """Return hidden layers of U units each, on the flattened window."""
    network = keras.Sequential([keras.layers.Flatten()], name="hidden")
    for depth in range(spec.layers):
        network.add(keras.layers.Dense(spec.units, spec.activation, name=f"dense_{depth}"))
        network.add(keras.layers.Dropout(spec.dropout))
    return Windowed(network, spec.lookback)
