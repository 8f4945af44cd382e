"""Bidirectional networks: one layer reads the window forwards, one backwards (Schuster and Paliwal 1997)."""

from collections.abc import Callable
from typing import Any

import keras

from models.families.window import Windowed
from models.spec import ForecasterSpec


def both_ways(name: str, cells: Callable[..., Any], spec: ForecasterSpec) -> Windowed:
    """Return layers of U cells in each direction, whose last states are the features.

    `cells(spec, depth, sequences=...)` makes a layer that reads one way.
    """
    network = keras.Sequential(name=name)
    for depth in range(spec.layers):
        layer = cells(spec, depth, sequences=depth < spec.layers - 1)
        network.add(keras.layers.Bidirectional(layer, name=f"both_{depth}"))
        network.add(keras.layers.Dropout(spec.dropout))
    return Windowed(network, spec.lookback)
