"""What many tests share: small real bundles that need no training."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edge.bundle import GOLDEN, STEP_ONNX, Bundle, write_bundle
from edge.engine import Engine
from edge.golden import golden_bytes
from edge.limits import Budget, Tail
from edge.manifest import Channel, Manifest, Scaling, StreamScaling
from edge.reading import Readings
from edge.runtimes import Step
from edge.runtimes.onnx import OnnxRuntime
from edge.state import LAYOUT_VERSION, Records, layout, new_records, record_dtype
from edge.surprise import Reference

INTERVAL_MS = 10_000
#: errors of an exponential tail, one spread on average; their running means; values within the range; no day, no course
REFERENCE = Reference(
    typical=(0.7, 0.9, 0.0, 0.0, 0.0),
    rare=(3.5, 2.0, 0.0, 0.0, 0.0),
    rate=(0.03, 0.03, 0.01, 0.01, 0.01),
    excess=(1.0, 0.3, 0.1, 0.1, 0.1),
)
START_MS = 1_700_000_000_000
MakeBundle = Callable[..., Bundle]


def pytest_xdist_auto_num_workers() -> int:
    """Return in how many processes tests run: one more than there are cores, as many wait for brokers and time."""
    return 1 + (os.cpu_count() or 1)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in CI that skipped a test: there everything that tests need can be had."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Give the process its signal handlers back: commands that a test calls set their own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def last_value_model(channels: int, width: float | None = None) -> bytes:
    """Return an ONNX step that forecasts the last value and remembers it (S = C); its width never changes."""

    def tensor(name: str, shape: list[str | int]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
    constant = helper.make_tensor("constant", TensorProto.FLOAT, [1], [width or 0.0])
    nodes = [
        helper.make_node("Unsqueeze", ["x", "axis"], ["forecast"]),
        helper.make_node("Add", ["x", "zero"], ["memory_out"]),
    ]
    outputs = [tensor("forecast", ["n", 1, channels]), tensor("memory_out", ["n", channels])]
    if width is not None:
        nodes += [
            helper.make_node("Mul", ["forecast", "zero"], ["nothing"]),
            helper.make_node("Add", ["nothing", "constant"], ["width"]),
        ]
        outputs.append(tensor("width", ["n", 1, channels]))
    inputs = [tensor("x", ["n", channels]), tensor("memory", ["n", channels])]
    graph = helper.make_graph(nodes, "last_value", inputs, outputs, [axis, zero, constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


class LastValue:
    """A runtime whose forecast is the last value."""

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        del memory
        return x[:, None, :], None, x


def manifest_of(
    *channels: Channel,
    streams: tuple[str, ...] = ("known",),
    location: float = 0.0,
    least: float = -5.0,
    most: float = 5.0,
    interval_ms: int = INTERVAL_MS,
    burn_in: int = 4,
    max_gap: int = 5,
    day_bins: int = 0,
    segments: int = 0,
) -> Manifest:
    """Return the manifest of a forecaster that remembers the last values: scale 1, spread 1, a tail from 2 decades."""
    count = len(channels)
    ones = (1.0,) * count
    known = StreamScaling((location,) * count, scale=ones, spread=ones, least=(least,) * count, most=(most,) * count)
    return Manifest(
        name="pump",
        version="1",
        created="2026-01-01T00:00:00Z",
        spec={"family": "last-value"},
        channels=channels,
        interval_ms=interval_ms,
        time_zone="UTC",
        calendar=False,
        horizon=1,
        memory=count,
        burn_in=burn_in,
        max_gap=max_gap,
        budget="1 per month",
        scaling=Scaling((-1e6,) * count, (1e6,) * count, ones, dict.fromkeys(streams, known)),
        day_bins=day_bins,
        segments=segments,
        sustained=8,
        reference=REFERENCE,
        tail=Tail(count=1000, exceeding=30, threshold=2.0, mean_excess=0.5),
        layout_version=LAYOUT_VERSION,
        layout=layout(record_dtype(count, count, day_bins, segments)),
        metrics={},
        data={},
    )


def records_of(count: int = 1, channels: int = 1, day_bins: int = 0, segments: int = 0) -> Records:
    """Return the records of streams that begin with the reference and a spread of 1."""
    records = new_records(count, record_dtype(channels, 0, day_bins, segments))
    records["spread"] = 1
    REFERENCE.begin(records)
    return records


def bytes_of(records: Records) -> list[bytes]:
    """Return all that is in the records, field by field."""
    return [records[name].tobytes() for name in record_dtype(1, 0).names or ()]


def softplus_model() -> bytes:
    """Return an ONNX step of one channel whose arithmetic is not that of whole vector registers for every row."""
    x, memory = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in ("x", "memory"))
    forecast = helper.make_tensor_value_info("forecast", TensorProto.FLOAT, ["n", 1, 1])
    after = helper.make_tensor_value_info("memory_out", TensorProto.FLOAT, ["n", 1])
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("Softplus", ["x"], ["memory_out"]),
        helper.make_node("Unsqueeze", ["memory_out", "axis"], ["forecast"]),
    ]
    graph = helper.make_graph(nodes, "softplus", [x, memory], [forecast, after], [axis])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def write_pump(
    folder: Path,
    name: str = "pump",
    channels: tuple[str, ...] = ("value",),
    streams: tuple[str, ...] = ("plant/pump-1",),
    interval_ms: int = INTERVAL_MS,
    burn_in: int = 4,
    max_gap: int = 5,
    version: str = "1",
    aggregate: str = "first",
    created: str = "2026-01-01T00:00:00Z",
) -> Bundle:
    """Write a bundle of `manifest_of`, whose forecaster expects the last value, into a folder of bundles."""
    count = len(channels)
    manifest = manifest_of(
        *(Channel(channel, "l/s", aggregate) for channel in channels),
        streams=streams,
        interval_ms=interval_ms,
        burn_in=burn_in,
        max_gap=max_gap,
    )
    manifest = replace(manifest, name=name, version=version, created=created)
    model = last_value_model(count)
    engine = Engine(manifest, OnnxRuntime(model), Budget.parse(manifest.budget).per_slot(interval_ms))
    names = list(streams[:1])
    row = engine.add(names)
    slots = np.arange(40)
    readings = Readings(
        np.repeat(row, 40 * count),
        np.tile(np.arange(count, dtype=np.int16), 40),
        np.repeat(START_MS // interval_ms * interval_ms + slots * interval_ms, count),
        np.repeat(np.where(slots == 30, 100.0, np.sin(slots)), count),
    )
    golden = golden_bytes(names, readings, engine.feed(readings))
    return write_bundle(folder, manifest, {STEP_ONNX: model, GOLDEN: golden})


def write_large_pump(folder: Path, version: str, size: int, **options: Any) -> Bundle:
    """Write a bundle of `write_pump` that also has weights of so many bytes, other ones in each version."""
    pump = write_pump(folder / "small", version=version, **options)
    weights = np.random.default_rng(int(version)).bytes(size)
    return write_bundle(folder, pump.manifest, {**pump.files, "weights.npz": weights})


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    """Return a maker of bundles in a folder of the test's own."""
    return partial(write_pump, tmp_path / "bundles")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this source."""
    folder, source = tmp_path_factory.mktemp("wheel"), Path(__file__).parents[1]
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))
