"""What every family of networks must do."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.bundle import Bundle, read_bundle
from edge.engine import open_engine
from edge.errors import BundleError
from edge.golden import self_test
from edge.runtime import OnnxRuntime
from models.bundling import train_bundle
from models.data import Recording
from models.export import export_onnx, load_weights, parity_error
from models.families import FAMILIES
from models.forecaster import Forecaster
from models.readings import of_recordings
from models.runtime import KerasRuntime
from models.spec import ForecasterSpec, TrainingSpec

CHANNELS = ("flow", "heat", "load")
TRAINING = TrainingSpec(epochs=2, stretch=24, batch_size=8, learning_rate=0.02, seed=7)


def spec_of(family: str, horizon: int = 1) -> ForecasterSpec:
    return ForecasterSpec(family=family, units=5, lookback=6, horizon=horizon)


def recordings() -> list[Recording]:
    random = np.random.default_rng(0)
    cycle = np.sin(np.arange(240)[:, None] / 12 + np.arange(3))
    return [
        Recording(name, CHANNELS, 600_000, 2_833_488, 10 * k + cycle + random.normal(0, 0.1, (240, 3)))
        for k, name in enumerate(("a", "b"))
    ]


def shaken(spec: ForecasterSpec) -> Forecaster:
    """Return a forecaster with random weights everywhere."""
    forecaster, random = Forecaster(spec, len(CHANNELS)), np.random.default_rng(1)
    forecaster.set_weights([random.normal(0, 0.4, each.shape) for each in forecaster.get_weights()])
    return forecaster


def inputs(forecaster: Forecaster, streams: int = 3, slots: int = 40) -> NDArray[np.float32]:
    return np.random.default_rng(2).normal(size=(streams, slots, forecaster.inputs)).astype(np.float32)


def train(family: str, out: Path) -> Bundle:
    return train_bundle(recordings(), spec_of(family), TRAINING, name="machine", out=out, budget="1 per week")


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def bundle(family: str, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return train(family, tmp_path_factory.mktemp(family))


def test_forecasts_and_memory_have_their_shapes(family: str) -> None:
    forecaster = shaken(spec_of(family, horizon=2))
    x = inputs(forecaster)
    memory = np.zeros((3, forecaster.memory_size), np.float32)
    forecast, after = forecaster.step(x[:, 0], memory)
    assert forecaster(x).shape == (3, 40, 2, 3)
    assert forecast.shape == (3, 2, 3)
    assert after.shape == memory.shape
    assert after.numpy().dtype == np.float32


def test_a_sequence_gives_what_its_steps_give(family: str) -> None:
    forecaster = shaken(spec_of(family))
    x, runtime = inputs(forecaster), KerasRuntime(forecaster)
    whole = forecaster(x).numpy()
    memory = np.zeros((3, forecaster.memory_size), np.float32)
    for slot in range(x.shape[1]):
        forecast, memory = runtime.step(x[:, slot], memory)
        np.testing.assert_allclose(forecast, whole[:, slot], atol=2e-6)


def test_streams_in_a_batch_do_not_touch_each_other(family: str) -> None:
    forecaster = shaken(spec_of(family))
    x = inputs(forecaster)
    np.testing.assert_allclose(forecaster(x)[1], forecaster(x[1:2])[0], atol=2e-6)


def test_the_exported_step_agrees_with_the_network(family: str) -> None:
    forecaster = shaken(spec_of(family, horizon=2))
    assert parity_error(forecaster, export_onnx(forecaster)) <= 1e-5


def test_the_exported_step_takes_any_number_of_streams(family: str) -> None:
    forecaster = shaken(spec_of(family))
    runtime = OnnxRuntime(export_onnx(forecaster))
    for streams in (1, 5):
        x = inputs(forecaster, streams)[:, 0]
        forecast, after = runtime.step(x, np.zeros((streams, forecaster.memory_size), np.float32))
        assert (forecast.shape, after.shape) == ((streams, 1, 3), (streams, forecaster.memory_size))


def test_the_same_seed_gives_the_same_weights(family: str, bundle: Bundle, tmp_path: Path) -> None:
    again = train(family, tmp_path)
    assert again.files["weights.npz"] == bundle.files["weights.npz"]
    assert again.manifest.metrics == bundle.manifest.metrics


def test_the_weights_in_the_bundle_are_the_exported_ones(family: str, bundle: Bundle) -> None:
    forecaster = Forecaster(spec_of(family), len(CHANNELS))
    load_weights(forecaster, bundle.files["weights.npz"])
    assert parity_error(forecaster, bundle.files["step.onnx"]) <= 1e-5


def test_the_bundle_verifies(bundle: Bundle) -> None:
    assert self_test(read_bundle(bundle.path)) > 100


def test_a_changed_byte_in_any_file_is_refused(bundle: Bundle) -> None:
    for path in sorted(bundle.path.iterdir()):
        sound = path.read_bytes()
        path.write_bytes(sound[:-9] + bytes([sound[-9] ^ 1]) + sound[-8:])
        with pytest.raises(BundleError, match=f"{bundle.path}/.*the file was changed"):
            read_bundle(bundle.path)
        path.write_bytes(sound)
    read_bundle(bundle.path)


def test_streams_it_knows_and_one_it_does_not_are_judged(bundle: Bundle) -> None:
    known = recordings()
    new = Recording("c", CHANNELS, 600_000, known[0].first, known[0].values * 3 + 5)
    engine = open_engine(bundle)
    engine.add([each.name for each in (*known, new)])
    verdicts = engine.feed(of_recordings([*known, new]))
    assert np.bincount(verdicts.stream).tolist() == [240, 240, 240]
    assert np.isfinite(verdicts.score[verdicts.time > verdicts.time.min() + 20 * 600_000]).all()
    assert verdicts.expected.shape == (720, 3)
