"""LSTM: long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers 2000)."""

import keras

from models.families.recurrent import Recurrent
from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> Recurrent:  # noqa: ARG001
    """Return layers of U LSTM cells; the memory is their hidden states and cell states."""
    return Recurrent([cells(spec, depth) for depth in range(spec.layers)], spec.dropout)


def cells(spec: ForecasterSpec, depth: int, *, sequences: bool = True) -> keras.layers.LSTM:
    """Return one layer, which gives its output at each slot of a sequence, or at the last one alone.

    With input, forget and output gates i, f, o (the recurrent activation s) and the candidate g (the activation a):
    c' = f c + i g and h' = o a(c').
    """
    return keras.layers.LSTM(
        spec.units,
        activation=spec.activation,
        recurrent_activation=spec.recurrent_activation,
        recurrent_dropout=spec.recurrent_dropout,
        return_sequences=sequences,
        name=f"lstm_{depth}",
    )
