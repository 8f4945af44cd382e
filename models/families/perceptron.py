"""Perceptron without a hidden layer: a forecast that is linear in the last `lookback` slots.

Fitted by gradient it is the single-layer perceptron (Rosenblatt 1958) with a linear output; fitted in closed form it
is the (vector) autoregression of order `lookback` with calendar inputs.
"""

import keras

from models.families.window import Windowed
from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> Windowed:  # noqa: ARG001
    """Return the window itself as features, of which the head is a linear function."""
    return Windowed(keras.layers.Flatten(), spec.lookback)
