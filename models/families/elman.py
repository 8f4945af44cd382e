"""Elman network: a layer that is fed its own last output (Elman 1990)."""

import keras

from models.families.recurrent import Recurrent
from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> Recurrent:  # noqa: ARG001
    """Return layers of U simple cells, h' = a(W x + U h + b); the memory is their hidden states."""
    layers = [
        keras.layers.SimpleRNN(
            spec.units,
            activation=spec.activation,
            recurrent_dropout=spec.recurrent_dropout,
            return_sequences=True,
            name=f"elman_{depth}",
        )
        for depth in range(spec.layers)
    ]
    return Recurrent(layers, spec.dropout)
