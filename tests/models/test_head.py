"""Heads: a forecast alone, one with its width, and probabilities."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from edge.bundle import Bundle
from edge.engine import open_engine
from edge.errors import BundleError, ConfigError, DataError
from edge.golden import self_test
from edge.reading import Status
from edge.runtimes.onnx import OnnxRuntime
from models.bundling import train_bundle
from models.data.readings import of_recordings
from models.data.recordings import Recording
from models.export import check_exportable, export_onnx
from models.families import FAMILIES
from models.forecaster import Forecaster
from models.parity import parity_error
from models.spec import ForecasterSpec, TrainingSpec

HOUR_MS = 3_600_000
FIRST = 472_248  # midnight
BRIEF = TrainingSpec(epochs=12, stretch=24, learning_rate=0.02, batch_size=16, patience=12)
WIDTHS = ["gaussian", "student_t"]


def forecaster(head: str = "point", output: str = "linear", channels: int = 2) -> Forecaster:
    return Forecaster(ForecasterSpec(family="mlp", units=3, lookback=3, head=head, output=output), channels)


def shaken(made: Forecaster) -> Forecaster:
    random = np.random.default_rng(0)
    made.set_weights([random.normal(0, 0.4, each.shape) for each in made.get_weights()])
    return made


def hours(recording: Recording) -> NDArray[np.int64]:
    return recording.slots % 24


@pytest.mark.parametrize("head", WIDTHS)
def test_an_untrained_width_is_one(head: str) -> None:
    forecast, width = forecaster(head)(np.full((1, 3, 6), 0.5, np.float32))
    np.testing.assert_allclose(forecast, 0.5)
    np.testing.assert_allclose(width, 1.0, rtol=1e-6)


def test_untrained_probabilities_are_alike() -> None:
    for output, expected in (("sigmoid", 0.5), ("softmax", 0.25)):
        forecast, width = forecaster(output=output, channels=4)(np.ones((1, 3, 8), np.float32))
        np.testing.assert_allclose(forecast, expected)
        assert width is None


def test_probabilities_of_a_softmax_add_up_over_the_channels_of_each_slot() -> None:
    made = shaken(Forecaster(ForecasterSpec(family="mlp", units=3, lookback=3, horizon=2, output="softmax"), 3))
    forecast, *_ = made.step(np.ones((5, 7), np.float32), np.zeros((5, made.memory_size), np.float32))
    np.testing.assert_allclose(np.sum(forecast, axis=-1), np.ones((5, 2)), rtol=1e-6)


def test_a_softmax_of_one_channel_is_refused() -> None:
    with pytest.raises(ConfigError, match="output: expected sigmoid or linear for one channel, got softmax"):
        check_exportable(ForecasterSpec(family="mlp", output="softmax"), 1)


@pytest.mark.parametrize("head", WIDTHS)
def test_the_width_is_exported_and_agrees(head: str) -> None:
    made = shaken(forecaster(head))
    model = export_onnx(made)
    assert [each.name for each in onnx.load_from_string(model).graph.output] == ["forecast", "width", "memory_out"]
    assert parity_error(made, OnnxRuntime(model), "step.onnx") <= 1e-5


@pytest.mark.parametrize("family", [name for name, each in FAMILIES.items() if "head" in each.fields])
def test_every_family_with_a_head_exports_its_width(family: str) -> None:
    made = shaken(Forecaster(ForecasterSpec(family=family, lookback=4, head="gaussian"), 2))
    model = export_onnx(made)
    x, memory = np.zeros((3, made.inputs), np.float32), np.zeros((3, made.memory_size), np.float32)
    forecast, width, _ = OnnxRuntime(model).step(x, memory)
    assert width is not None
    assert forecast.shape == width.shape
    assert parity_error(made, OnnxRuntime(model), "step.onnx") <= 1e-5


def test_a_width_that_is_not_the_network_s_is_refused() -> None:
    made = shaken(forecaster("gaussian"))
    model = export_onnx(made)
    weights = made.get_weights()
    made.set_weights([*weights[:-1], weights[-1] + 0.1])
    assert made.weights[-1].path.endswith("width/bias")
    with pytest.raises(BundleError, match="expected forecasts and widths within"):
        parity_error(made, OnnxRuntime(model), "step.onnx")


def noisy_by_day(name: str = "pump-1", days: int = 60, seed: int = 0) -> Recording:
    """Return hours of a sensor that is quiet by night and ten times as noisy by day."""
    random, slots = np.random.default_rng(seed), FIRST + np.arange(24 * days)
    noise = random.normal(0, 1, len(slots)) * np.where((slots % 24 >= 6) & (slots % 24 < 18), 1.0, 0.1)
    return Recording(name, ("flow",), HOUR_MS, FIRST, (20 + noise)[:, None])


@pytest.mark.slow
@pytest.mark.parametrize("head", WIDTHS)
def test_bands_are_wider_where_the_signal_is_noisy(head: str, tmp_path: Path) -> None:
    spec = ForecasterSpec(family="mlp", units=8, lookback=4, skip=False, head=head)
    bundle = train_bundle([noisy_by_day()], spec, BRIEF, name="pump", out=tmp_path)
    assert self_test(bundle) > 100
    recording = noisy_by_day(seed=1)
    engine = open_engine(bundle)
    engine.add(["pump-1"])
    verdicts = engine.feed(of_recordings([recording]))
    band, hour = (verdicts.upper - verdicts.lower)[:, 0], verdicts.time // HOUR_MS % 24
    day, night = (np.nanmean(band[(hour >= low) & (hour < low + 8)]) for low in (8, 20))
    assert day > 4 * night
    assert np.mean(verdicts.status == Status.ANOMALY) < 0.005
    for head_spread in bundle.manifest.scaling.spread:
        assert 0.5 < head_spread < 1.5  # errors are about as wide as the network says


def valve(name: str = "valve-1", days: int = 40) -> Recording:
    """Return hours of a valve that is open from 6 to 18 o'clock, give or take an hour."""
    random, slots = np.random.default_rng(0), FIRST + np.arange(24 * days)
    shift = np.repeat(random.integers(-1, 2, days), 24)
    is_open = (slots % 24 >= 6 + shift) & (slots % 24 < 18 + shift)
    return Recording(name, ("open",), HOUR_MS, FIRST, is_open.astype(float)[:, None])


@pytest.fixture(scope="module")
def valve_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    spec = ForecasterSpec(family="mlp", units=8, lookback=4, output="sigmoid")
    return train_bundle([valve()], spec, BRIEF, name="valve", out=tmp_path_factory.mktemp("valve"))


@pytest.mark.parametrize("stream", ["valve-1", "valve-2"])
def test_a_valve_that_opens_at_night_is_an_anomaly_in_a_known_stream_and_a_new_one(
    valve_bundle: Bundle, stream: str
) -> None:
    recording = valve(stream)
    values = recording.values.copy()
    row = 24 * 30 + 1
    assert values[row, 0] == 0
    values[row, 0] = 1
    engine = open_engine(valve_bundle)
    engine.add([stream])
    verdicts = engine.feed(of_recordings([Recording(stream, ("open",), HOUR_MS, FIRST, values)]))
    assert verdicts.status[row] == Status.ANOMALY
    assert np.mean(verdicts.status == Status.ANOMALY) < 0.01
    judged = verdicts.expected[np.isfinite(verdicts.expected)]
    assert (judged.min(), judged.max()) == pytest.approx((0, 1), abs=0.1)
    assert ((judged >= 0) & (judged <= 1)).all()


def test_values_that_are_no_probabilities_are_told_before_training(tmp_path: Path) -> None:
    recording = valve()
    recording.values[30, 0] = 1.5
    spec = ForecasterSpec(family="mlp", output="sigmoid")
    with pytest.raises(
        DataError, match=r"valve-1: open: expected values in 0..1 with sigmoid output, got 1.5 at 2023-11-17T06"
    ):
        train_bundle([recording], spec, BRIEF, name="valve", out=tmp_path)
