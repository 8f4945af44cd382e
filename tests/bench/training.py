"""How much CPU time training sequence to sequence saves over training on windows.

Both train the same LSTM, with the same head and skip, on the same 50 devices x 10,000 readings, and are
measured on the same held-out targets:

- windows: the usual way. Each target is a sample of its own with the `lookback` readings before it, the
  samples are shuffled, and the network is run over each window from zero memory. Plain Keras `fit`, batches
  of 128, Adam at 0.001.
- sequence: `models.training.fitting.fit` with its defaults. The network runs once through each stretch of readings,
  each step being a target.

The windows go first, until two epochs were no better or MOST_EPOCHS are done. The error to be reached is
the windows' best; should the sequences end above it, it is theirs, so that the worse of the two decides.
The figures are the process's CPU time, validation and compilation included, up to the end of the epoch in
which a way first got there.

    python tests/bench/training.py [--json] [--short]
"""

import json
import os
import sys
import time
from dataclasses import dataclass, replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import ops
from rich.console import Console
from rich.table import Table

from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training.fitting import fit
from models.training.sequences import Cutter, Split, Stretches, input_range, split

DEVICES, READINGS = 50, 10_000
INTERVAL_MS = 600_000
DAY = 86_400_000 // INTERVAL_MS
MOST_EPOCHS = 6
BATCH = 128
LEARNING_RATE = 0.001


@dataclass(frozen=True)
class Epoch:
    """Where a way of training was at the end of an epoch."""

    error: float
    cpu_s: float


def device(number: int, readings: int) -> Recording:
    """Return a sensor with a daily cycle of its own height and phase, and correlated noise."""
    random = np.random.default_rng(number)
    slot = np.arange(readings)
    keep, shocks = random.uniform(0.5, 0.9), random.normal(0, random.uniform(0.2, 0.4), (readings, 2))
    noise = np.zeros(readings)
    for k in range(2, readings):
        noise[k] = keep * noise[k - 1] - 0.3 * keep * noise[k - 2] + shocks[k, 0]
    angle = 2 * np.pi * (slot / DAY + random.uniform())
    cycle = random.uniform(1, 3) * np.sin(angle) + random.uniform(0, 1) * np.sin(2 * angle + random.uniform(0, 6))
    values = random.uniform(10, 90) + cycle + noise
    return Recording(f"device-{number}", ("value",), INTERVAL_MS, 2_833_488, values[:, None])


def windows(stretches: Stretches, lookback: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a window of inputs (N, lookback, C') for each target (N, C) that counts."""
    row, step = np.nonzero(stretches.weight[:, :, 0, 0])
    x = np.lib.stride_tricks.sliding_window_view(stretches.x, lookback, axis=1)[row, step - lookback + 1]
    return np.ascontiguousarray(x.transpose(0, 2, 1)), stretches.target[row, step, 0]


def train_windows(learnt: Stretches, held_out: Stretches, spec: ForecasterSpec) -> list[Epoch]:
    """Train on shuffled windows and return how it went."""
    began = time.process_time()
    keras.utils.set_random_seed(0)
    channels = learnt.target.shape[-1]
    inputs = keras.Input((spec.lookback, learnt.x.shape[-1]))
    change = keras.layers.Dense(channels, kernel_initializer="zeros")(keras.layers.LSTM(spec.units)(inputs))
    model = keras.Model(inputs, inputs[:, -1, :channels] + change)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), loss="mean_absolute_error")
    x, y = windows(learnt, spec.lookback)
    held_x, held_y = windows(held_out, spec.lookback)
    epochs: list[Epoch] = []
    while len(epochs) < MOST_EPOCHS and not _stale(epochs):
        model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
        error = float(ops.mean(ops.absolute(model.predict(held_x, batch_size=2048, verbose=0) - held_y)))
        epochs.append(Epoch(error, time.process_time() - began))
        print(f"windows: epoch {len(epochs)}: error {error:.5f}, {epochs[-1].cpu_s:.0f} s", file=sys.stderr)
    return epochs


def train_sequence(
    learnt: Stretches, held_out: Stretches, spec: ForecasterSpec, training: TrainingSpec, good_enough: float
) -> Epoch:
    """Train with `fit` until the error is good enough."""
    began = time.process_time()
    fitted = fit(learnt, held_out, spec, replace(training, target_error=good_enough))
    cpu_s = time.process_time() - began
    print(f"sequence: {fitted.epochs} epochs: error {fitted.error:.5f}, {cpu_s:.0f} s", file=sys.stderr)
    return Epoch(fitted.error, cpu_s)


def _stale(epochs: list[Epoch]) -> bool:
    return len(epochs) > 2 and min(each.error for each in epochs[-2:]) >= min(each.error for each in epochs[:-2])


def measure(readings: int) -> dict[str, float]:
    """Train both ways on so many readings a device, and return the figures."""
    spec, training = ForecasterSpec(family="lstm", units=32), TrainingSpec()
    splits: list[Split] = [split(device(number, readings), spec, training) for number in range(DEVICES)]
    cutter = Cutter(spec, *input_range(splits), "UTC")
    learnt, held_out = cutter.learnt(splits, training.stretch), cutter.held_out(splits, training.stretch)
    print(f"{learnt.weight.sum():.0f} targets to learn, {held_out.weight.sum():.0f} held out", file=sys.stderr)

    epochs = train_windows(learnt, held_out, spec)
    sequence = train_sequence(learnt, held_out, spec, training, min(each.error for each in epochs))
    target = max(sequence.error, min(each.error for each in epochs))
    reached = next(each for each in epochs if each.error <= target)
    return {
        "cpu_ratio": reached.cpu_s / sequence.cpu_s,
        "sequence_error": sequence.error,
        "windows_error": reached.error,
        "sequence_cpu_s": sequence.cpu_s,
        "windows_cpu_s": reached.cpu_s,
    }


def main() -> None:
    """Print the figures as a table, or as JSON."""
    readings = READINGS // 10 if "--short" in sys.argv[1:] else READINGS
    figures = measure(readings)
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
        return
    table = Table("training", "held-out error", "CPU s", title=f"{DEVICES} devices x {readings:,} readings, LSTM(32)")
    for way in ("windows", "sequence"):
        table.add_row(way, f"{figures[f'{way}_error']:.5f}", f"{figures[f'{way}_cpu_s']:.1f}")
    table.add_row("windows / sequence", "", f"{figures['cpu_ratio']:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
