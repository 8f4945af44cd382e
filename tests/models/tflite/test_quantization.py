import numpy as np
import pytest

from edge.errors import BundleError
from edge.runtimes.litert import LiteRuntime
from models.forecaster import Forecaster
from models.spec import ForecasterSpec, TrainingSpec
from models.tflite.conversion import operators
from models.tflite.quantization import STREAMS, quantise, representative
from models.training.preparation import Prepared, prepare
from tests.models.conftest import recording


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare([recording()], ForecasterSpec(family="elman", units=4, lookback=4), TrainingSpec(stretch=16))


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    made, random = Forecaster(ForecasterSpec(family="elman", units=4, lookback=4), 1), np.random.default_rng(0)
    made.set_weights([random.normal(0, 0.4, each.shape) for each in made.get_weights()])
    return made


def test_samples_are_inputs_and_the_memory_that_the_forecaster_has_then(
    forecaster: Forecaster, prepared: Prepared
) -> None:
    x, memory = representative(forecaster, prepared.learnt)
    assert len(x) == len(memory) <= STREAMS * prepared.learnt.x.shape[1]
    assert x.shape[1], memory.shape[1] == (forecaster.inputs, forecaster.memory_size)
    assert not memory[0].any()
    assert np.ptp(memory, axis=0).all()


def test_a_converter_that_takes_too_long_is_ended_and_told(forecaster: Forecaster, prepared: Prepared) -> None:
    with pytest.raises(BundleError, match=r"int8, full: expected a model within 0.05 s, got none"):
        quantise(forecaster, representative(forecaster, prepared.learnt), "full", timeout_s=0.05)


@pytest.mark.slow
def test_a_fully_quantised_step_is_close_and_takes_and_gives_single_precision(
    forecaster: Forecaster, prepared: Prepared
) -> None:
    x, memory = representative(forecaster, prepared.learnt)
    model = quantise(forecaster, (x, memory), "full")
    assert {"QUANTIZE", "DEQUANTIZE"} <= set(operators(model, "step.int8.tflite"))
    forecast, _, _ = LiteRuntime(model).step(x, memory)
    expected = forecaster.step(x, memory)[0].numpy()
    difference = np.abs(forecast - expected).max()
    assert 0 < difference < 0.1
