"""BiGRU: one GRU reads the window forwards, one backwards (Schuster and Paliwal 1997)."""

import keras

from models.families.gru import cells
from models.families.window import Windowed
from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> Windowed:  # noqa: ARG001
    """Return layers of U units in each direction, whose last states are the features."""
    network = keras.Sequential(name="bigru")
    for depth in range(spec.layers):
        layer = cells(spec, depth, sequences=depth < spec.layers - 1)
        network.add(keras.layers.Bidirectional(layer, name=f"both_{depth}"))
        network.add(keras.layers.Dropout(spec.dropout))
    return Windowed(network, spec.lookback)
