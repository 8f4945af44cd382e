"""What it costs that many devices share one model: 200 devices against one with as many readings in all.

Both are trained from recordings to a sealed bundle with an LSTM at its defaults, for the same number of
epochs. The figure is the ratio of the CPU times; required is 3 at most.

    python tests/bench/sharing.py [--json] [--short]
"""

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.quiet import quiet_tensorflow

quiet_tensorflow()

from models.data.recordings import Recording  # noqa: E402 TensorFlow is to be quiet before it is imported
from models.search.task import Task  # noqa: E402
from models.spec import ForecasterSpec, TrainingSpec  # noqa: E402

DEVICES, READINGS = 200, 100_000
INTERVAL_MS = 600_000
DAY = 86_400_000 // INTERVAL_MS
TRAINING = TrainingSpec(epochs=10, patience=10)


def values(slots: int, seed: int) -> NDArray[np.float64]:
    """Return a daily cycle of its own level and phase, and noise (slots, 1)."""
    random = np.random.default_rng(seed)
    angle = 2 * np.pi * (np.arange(slots) / DAY + random.uniform())
    return (random.uniform(10, 90) + np.sin(angle) + random.normal(0, 0.2, slots))[:, None]


def task(readings: int, devices: int) -> Task:
    """Return so many readings, shared out evenly among the devices."""
    slots = readings // devices
    recordings = [
        Recording(f"device-{k}", ("value",), INTERVAL_MS, 2_833_488, values(slots, k)) for k in range(devices)
    ]
    return Task("bench", tuple(recordings))


def cpu_s(given: Task, training: TrainingSpec) -> float:
    """Return the CPU time of training a bundle."""
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        given.train(ForecasterSpec("lstm"), training, Path(folder))
    return time.process_time() - began


def main() -> None:
    """Print the figures."""
    readings = READINGS // 5 if "--short" in sys.argv[1:] else READINGS
    cpu_s(task(readings, 1), replace(TRAINING, epochs=1))  # what is only done once a process is not to be counted
    one, many = cpu_s(task(readings, 1), TRAINING), cpu_s(task(readings, DEVICES), TRAINING)
    if "--json" in sys.argv[1:]:
        print(json.dumps({"ratio": many / one, "one_cpu_s": one, "many_cpu_s": many}))
    else:
        print(f"one device {one:.1f} s, {DEVICES} devices {many:.1f} s of CPU: {many / one:.2f} times")


if __name__ == "__main__":
    main()
