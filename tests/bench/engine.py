"""How many slots a second the engine scores, beside the bare step it stands on.

10,000 single-channel streams with an LSTM(32) and calendar inputs, one reading a stream and slot in any order
of streams, full scoring included: alignment, score, alarms, learning, step. One core. The weights are not
trained, which changes no cost.

    python tests/bench/engine.py [--json]
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table

from edge.bundle import STEP_ONNX, STEP_TFLITE, Bundle
from edge.day import bins_of
from edge.engine import Engine, open_engine
from edge.limits import Tail
from edge.manifest import Channel, Manifest, Scaling, StreamScaling
from edge.reading import Readings, Status
from edge.runtimes import Runtime, open_runtime
from edge.shape import SEGMENTS
from edge.state import LAYOUT_VERSION, layout, record_dtype
from edge.surprise import Reference
from models.export import export_onnx
from models.forecaster import Forecaster
from models.spec import ForecasterSpec
from models.tflite.conversion import export_tflite

STREAMS = 10_000
ROUNDS = 60
STEP_ROWS = 1024
REPEATS = 3
START_MS = 1_700_000_000_000


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    bundle = untrained_bundle(ForecasterSpec(family="lstm", units=32))
    runtime = open_runtime(bundle.files)
    engine = open_engine(bundle)
    rows = engine.add(list(bundle.manifest.scaling.streams))  # known ones, which are scored once memory is filled
    course = np.random.default_rng(0).normal(size=(STREAMS, SEGMENTS, 1)).astype(np.float16)
    engine.table.put("course", rows, course)  # as if they had been watched for long
    interval_ms, warm_up = bundle.manifest.interval_ms, 3 * bundle.manifest.burn_in

    slots, slots_s, step_s = 0, 0.0, 0.0
    feed_rounds(engine, rows, 0, warm_up, interval_ms)
    for repeat in range(REPEATS):  # in turn, so that both see the same machine
        slots_s += feed_rounds(engine, rows, warm_up + repeat * ROUNDS, ROUNDS, interval_ms)
        slots += ROUNDS * STREAMS
        step_s += bare_steps(runtime, bundle.manifest.inputs, bundle.manifest.memory, ROUNDS * STREAMS // STEP_ROWS)
    slots_per_s = slots / slots_s
    step_rows_per_s = REPEATS * (ROUNDS * STREAMS // STEP_ROWS) * STEP_ROWS / step_s
    report(
        {
            "streams": STREAMS,
            "slots_per_s": round(slots_per_s),
            "step_rows_per_s": round(step_rows_per_s),
            "ratio": round(slots_per_s / step_rows_per_s, 3),
        }
    )


def feed_rounds(engine: Engine, rows: np.ndarray, first: int, rounds: int, interval_ms: int) -> float:
    """Feed one reading a stream and slot, and return the seconds that it took."""
    generator = np.random.default_rng(first)
    batches = [
        Readings(
            generator.permutation(rows),
            np.zeros(STREAMS, np.int16),
            np.full(STREAMS, START_MS + slot * interval_ms),
            generator.normal(size=STREAMS),
        )
        for slot in range(first, first + rounds)
    ]
    began = perf_counter()
    for batch in batches:
        verdicts = engine.feed(batch)
        if len(verdicts) != STREAMS:
            sys.exit(f"expected {STREAMS} verdicts a round, got {len(verdicts)}")
    took = perf_counter() - began
    if first and (verdicts.status == Status.LEARNING).any():
        sys.exit("expected streams that are scored, got some that still learn")
    return took


def bare_steps(runtime: Runtime, inputs: int, memory: int, steps: int) -> float:
    """Run only the step, on its best block, and return the seconds that it took."""
    x = np.random.default_rng(0).normal(size=(STEP_ROWS, inputs)).astype(np.float32)
    state = np.zeros((STEP_ROWS, memory), np.float32)
    began = perf_counter()
    for _ in range(steps):
        *_, state = runtime.step(x, state)
    return perf_counter() - began


def untrained_bundle(spec: ForecasterSpec) -> Bundle:
    """Return a bundle whose forecaster has the weights that training begins with."""
    forecaster, bins = Forecaster(spec, channels=1), bins_of(60_000)
    known = StreamScaling((0.0,), (1.0,), (1.0,), (-3.0,), (3.0,))
    manifest = Manifest(
        name="bench",
        version="1",
        created="2026-01-01T00:00:00Z",
        spec=asdict(spec),
        channels=(Channel("value"),),
        interval_ms=60_000,
        time_zone="Europe/Rome",
        calendar=spec.calendar,
        horizon=spec.horizon,
        memory=forecaster.memory_size,
        burn_in=4,
        max_gap=4,
        budget="1 per month",
        scaling=Scaling((-5.0,), (5.0,), (1.0,), {f"plant/sensor-{k}": known for k in range(STREAMS)}),
        day_bins=bins,
        segments=SEGMENTS,
        sustained=32,
        reference=Reference(
            typical=(0.7, 0.9, 0.0, 0.0, 0.5),
            rare=(3.5, 2.0, 0.0, 0.0, 1.0),
            rate=(0.03, 0.03, 0.01, 0.01, 0.03),
            excess=(1.0, 0.3, 0.1, 0.1, 0.2),
        ),
        tail=Tail(count=1000, exceeding=30, threshold=2.0, mean_excess=0.5),
        layout_version=LAYOUT_VERSION,
        layout=layout(record_dtype(1, forecaster.memory_size, bins, SEGMENTS)),
        metrics={},
        data={},
    )
    return Bundle(Path(), manifest, {STEP_ONNX: export_onnx(forecaster), STEP_TFLITE: export_tflite(forecaster)})


def report(figures: dict[str, float]) -> None:
    """Print the figures as a table, or as JSON if asked to."""
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
        return
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
