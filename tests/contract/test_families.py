"""What every family of networks must do."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.bundle import Bundle, read_bundle
from edge.engine import open_engine
from edge.errors import BundleError
from edge.golden import self_test
from edge.runtimes import Runtime, open_runtime
from edge.runtimes.litert import LiteRuntime
from edge.runtimes.onnx import OnnxRuntime
from models.bundling import train_bundle
from models.data.readings import of_recordings
from models.data.recordings import Recording
from models.export import export_onnx, export_weights, load_weights
from models.families import FAMILIES
from models.forecaster import Forecaster
from models.parity import parity_error
from models.runtime import KerasRuntime
from models.spec import ForecasterSpec, TrainingSpec
from models.tflite import micro
from models.tflite.conversion import export_tflite, operators
from models.tflite.quantization import quantise, representative
from models.training.fitting import fit
from models.training.preparation import prepare

CHANNELS = ("flow", "heat", "load")
TRAINING = TrainingSpec(epochs=2, stretch=24, batch_size=8, learning_rate=0.02, seed=7)


def spec_of(family: str, horizon: int = 1) -> ForecasterSpec:
    sizes: dict[str, Any] = {"units": 5, "lookback": 6, "season": 6}
    has = FAMILIES[family].fields
    return ForecasterSpec(family=family, horizon=horizon, **{name: sizes[name] for name in sizes if name in has})


def recordings() -> list[Recording]:
    random = np.random.default_rng(0)
    cycle = np.sin(np.arange(240)[:, None] / 12 + np.arange(3))
    return [
        Recording(name, CHANNELS, 600_000, 2_833_488, 10 * k + cycle + random.normal(0, 0.1, (240, 3)))
        for k, name in enumerate(("a", "b"))
    ]


def inputs(forecaster: Forecaster, streams: int = 3, slots: int = 40) -> NDArray[np.float32]:
    return np.random.default_rng(2).normal(size=(streams, slots, forecaster.inputs)).astype(np.float32)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def forecaster(family: str) -> Forecaster:
    """Return a forecaster of two slots with random weights everywhere."""
    forecaster, random = Forecaster(spec_of(family, horizon=2), len(CHANNELS)), np.random.default_rng(1)
    forecaster.set_weights([random.normal(0, 0.4, each.shape) for each in forecaster.get_weights()])
    return forecaster


@pytest.fixture(scope="module", params=["onnx", "litert"])
def exported(request: pytest.FixtureRequest, forecaster: Forecaster) -> Runtime:
    """Return the forecaster's step in a runtime."""
    if request.param == "onnx":
        return OnnxRuntime(export_onnx(forecaster))
    return LiteRuntime(export_tflite(forecaster))


@pytest.fixture(scope="module")
def bundle(family: str, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    out = tmp_path_factory.mktemp(family)
    return train_bundle(recordings(), spec_of(family), TRAINING, name="machine", out=out, budget="1 per week")


def test_a_sequence_gives_what_its_steps_give(forecaster: Forecaster) -> None:
    x, runtime = inputs(forecaster), KerasRuntime(forecaster)
    whole = forecaster(x)[0].numpy()
    assert whole.shape == (3, 40, 2, 3)
    memory = np.zeros((3, forecaster.memory_size), np.float32)
    for slot in range(x.shape[1]):
        forecast, _, memory = runtime.step(x[:, slot], memory)
        np.testing.assert_allclose(forecast, whole[:, slot], atol=1e-5)
    assert memory.shape == (3, forecaster.memory_size)


def test_streams_in_a_batch_do_not_touch_each_other(forecaster: Forecaster) -> None:
    x = inputs(forecaster)
    np.testing.assert_allclose(forecaster(x)[0][1], forecaster(x[1:2])[0][0], atol=1e-5)


def test_the_exported_step_agrees_with_the_network(forecaster: Forecaster, exported: Runtime) -> None:
    assert parity_error(forecaster, exported, "step") <= 1e-5


def test_a_stream_is_answered_alike_whatever_streams_are_beside_it(forecaster: Forecaster, exported: Runtime) -> None:
    x = inputs(forecaster, 150)[:, 0]
    memory = np.random.default_rng(3).normal(size=(150, forecaster.memory_size)).astype(np.float32)
    forecast, width, after = exported.step(x, memory)
    assert (forecast.shape, width, after.shape) == ((150, 2, 3), None, (150, forecaster.memory_size))
    for streams in (1, 2, 5, 64, 65):
        some, _, memory_after = exported.step(x[:streams], memory[:streams])
        np.testing.assert_array_equal(some, forecast[:streams])
        np.testing.assert_array_equal(memory_after, after[:streams])


def test_the_same_seed_gives_the_same_weights(family: str, bundle: Bundle) -> None:
    prepared = prepare(recordings(), spec_of(family), TRAINING, "UTC")
    fitted = fit(prepared.learnt, prepared.held_out, spec_of(family), TRAINING)
    assert export_weights(fitted.forecaster) == bundle.files["weights.npz"]
    assert fitted.error == bundle.manifest.metrics["held_out_error"]


def test_the_weights_in_the_bundle_are_the_exported_ones(family: str, bundle: Bundle) -> None:
    forecaster = Forecaster(spec_of(family), len(CHANNELS))
    load_weights(forecaster, bundle.files["weights.npz"])
    for runtime in ("onnx", "litert"):
        assert parity_error(forecaster, open_runtime(bundle.files, runtime), runtime) <= 1e-5


@pytest.mark.parametrize("runtime", ["onnx", "litert"])
def test_the_bundle_verifies(bundle: Bundle, runtime: str) -> None:
    assert self_test(read_bundle(bundle.path), runtime) > 100


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
    learnt = np.where(verdicts.stream < 2, 20, 160)  # slots; one not known learns its scale over a day
    assert np.isfinite(verdicts.score[verdicts.time > verdicts.time.min() + learnt * 600_000]).all()
    assert verdicts.expected.shape == (720, 3)


@pytest.mark.slow
def test_it_is_quantised_as_the_list_of_families_says(family: str, forecaster: Forecaster) -> None:
    prepared = prepare(recordings(), spec_of(family, horizon=2), TRAINING, "UTC")
    samples = representative(forecaster, prepared.learnt)
    if FAMILIES[family].loops:  # what calibrates ranges is ended by a loop
        with pytest.raises(BundleError, match="int8, full: expected a model, got none"):
            quantise(forecaster, samples, "full")
    model = quantise(forecaster, samples, "dynamic range" if FAMILIES[family].loops else "full")
    assert operators(model, "step.int8.tflite")
    forecast, _, _ = LiteRuntime(model).step(*samples)
    assert np.abs(forecast - forecaster.step(*samples)[0].numpy()).mean() < 0.1


def test_a_microcontroller_s_interpreter_runs_it(forecaster: Forecaster) -> None:
    assert micro.fit(export_tflite(forecaster), "step.tflite").worst <= 1e-4
