"""How long every family takes to train, and how much memory.

Each is trained from a recording to a sealed bundle, at its defaults, on 100,000 slots of 4 channels, in a
process of its own, whose peak memory is told. Required: 180 s on two cores.

    python tests/bench/families.py [--json] [--short] [--family NAME ...]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from models.families import FAMILIES
from models.quiet import quiet_tensorflow

SLOTS, CHANNELS = 100_000, ("flow", "heat", "load", "speed")
INTERVAL_MS = 600_000
DAY = 86_400_000 // INTERVAL_MS
MOST_S = 180


def train(family: str, slots: int) -> dict[str, float]:
    """Train one family in this process and return its figures."""
    quiet_tensorflow()
    from models.data.recordings import Recording
    from models.search.task import Task
    from models.spec import ForecasterSpec, TrainingSpec

    random = np.random.default_rng(0)
    noise = random.normal(0, 0.3, (slots, len(CHANNELS)))
    for k in range(2, slots):
        noise[k] += 0.7 * noise[k - 1] - 0.2 * noise[k - 2]
    angle = 2 * np.pi * np.arange(slots)[:, None] / DAY + np.arange(len(CHANNELS))
    values = 50 + np.sin(angle) * (2 + np.tanh(noise[:, ::-1])) + noise
    task = Task("bench", (Recording("device", CHANNELS, INTERVAL_MS, 2_833_488, values),))
    began, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        metrics = task.train(ForecasterSpec(family), TrainingSpec(), Path(folder)).manifest.metrics
    return {
        "train_s": time.perf_counter() - began,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "epochs": metrics["epochs"],
        "error": metrics["held_out_error"],
    }


def measure(family: str, slots: int) -> dict[str, float]:
    """Train one family in a process of its own and return its figures."""
    command = [sys.executable, __file__, "--only", family, "--slots", str(slots)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    print(f"{family}: {figures['train_s']:.0f} s, {figures['peak_mb']:.0f} MB", file=sys.stderr)
    return figures


def main() -> None:
    """Print the figures as a table, or as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--family", action="append", choices=FAMILIES)
    parser.add_argument("--short", dest="slots", action="store_const", const=SLOTS // 10, default=SLOTS)
    parser.add_argument("--only", choices=FAMILIES, help=argparse.SUPPRESS)
    parser.add_argument("--slots", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(train(given.only, given.slots)))
        return
    figures = {family: measure(family, given.slots) for family in given.family or FAMILIES}
    if given.json:
        slowest = max(each["train_s"] for each in figures.values())
        peak = max(each["peak_mb"] for each in figures.values())
        print(json.dumps({"slowest_s": slowest, "peak_mb": peak, "families": figures}))
        return
    table = Table(
        "family", "s", "CPU s", "peak MB", "epochs", "error", title=f"{given.slots:,} slots, {len(CHANNELS)} channels"
    )
    for family, each in figures.items():
        table.add_row(family, *(f"{each[name]:.4g}" for name in ("train_s", "cpu_s", "peak_mb", "epochs", "error")))
    Console().print(table)


if __name__ == "__main__":
    main()
