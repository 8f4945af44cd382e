"""GRU: gated recurrent units (Cho et al. 2014; with `reset_after`, the form of cuDNN)."""

import keras

from models.families.recurrent import Recurrent
from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> Recurrent:  # noqa: ARG001
    """Return layers of U GRU cells; the memory is their hidden states."""
    return Recurrent([cells(spec, depth) for depth in range(spec.layers)], spec.dropout)


def cells(spec: ForecasterSpec, depth: int, *, sequences: bool = True) -> keras.layers.GRU:
    """Return one layer, which gives its output at each slot of a sequence, or at the last one alone.

    The reset gate r comes before the product with the recurrent weights, a(W x + U (r h)), or after it,
    a(W x + r (U h)). h' = z h + (1 - z) times that: z is the complement of Cho's update gate.
    """
    return keras.layers.GRU(
        spec.units,
        activation=spec.activation,
        recurrent_activation=spec.recurrent_activation,
        recurrent_dropout=spec.recurrent_dropout,
        reset_after=spec.reset_after,
        return_sequences=sequences,
        name=f"gru_{depth}",
    )
