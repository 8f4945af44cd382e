"""Why gates: a sign seen K slots ago reaches an LSTM and a GRU, and not an Elman network (Hochreiter 1991)."""

import numpy as np
import pytest

from models.spec import ForecasterSpec, TrainingSpec
from models.training.fitting import fit
from models.training.sequences import Stretches

K, CUES = 20, 10
TRAINING = TrainingSpec(epochs=40, patience=40, learning_rate=0.01, loss="mse", target_error=0.1)


def copies(count: int, seed: int) -> Stretches:
    """Return sequences of random signs, of which the one that is marked, among the first CUES, is the last target.

    The marks are the second channel; K slots at least lie between mark and target.
    """
    random = np.random.default_rng(seed)
    marked, slots = random.integers(0, CUES, count), K + CUES
    x = np.zeros((count, slots, 2), np.float32)
    x[:, :, 0] = random.choice([-1.0, 1.0], (count, slots))
    x[np.arange(count), marked, 1] = 1
    target, weight = np.zeros((2, count, slots, 1, 2), np.float32)
    target[:, -1, 0, 0], weight[:, -1, 0, 0] = x[np.arange(count), marked, 0], 1
    return Stretches(x, x, target, weight)


def error_of(family: str) -> float:
    """Return the mean absolute error of the copied sign after training; a guess that knows nothing has 1."""
    spec = ForecasterSpec(family=family, units=16, calendar=False, skip=False)
    return fit(copies(4096, 0), copies(256, 1), spec, TRAINING).error


@pytest.mark.slow
def test_gates_carry_what_an_elman_network_forgets() -> None:
    assert error_of("lstm") < 0.15
    assert error_of("gru") < 0.15
    assert error_of("elman") > 0.7
