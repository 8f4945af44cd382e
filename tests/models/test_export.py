import numpy as np
import onnx
import pytest

from edge.errors import BundleError
from edge.runtimes.onnx import OnnxRuntime
from models.export import export_onnx, export_weights, load_weights
from models.forecaster import Forecaster
from models.parity import parity_error
from models.spec import ForecasterSpec

SPEC = ForecasterSpec(family="elman", units=4, lookback=3)


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    made, random = Forecaster(SPEC, 2), np.random.default_rng(0)
    made.set_weights([random.normal(0, 0.4, each.shape) for each in made.get_weights()])
    return made


@pytest.fixture(scope="module")
def model(forecaster: Forecaster) -> bytes:
    return export_onnx(forecaster)


def test_inputs_and_outputs_have_their_names_and_a_free_batch(model: bytes) -> None:
    graph = onnx.load_from_string(model).graph
    ends = {end.name: end.type.tensor_type.shape.dim for end in (*graph.input, *graph.output)}
    assert list(ends) == ["x", "memory", "forecast", "memory_out"]
    assert all(shape[0].dim_value == 0 for shape in ends.values())
    assert [size.dim_value for size in ends["forecast"]][1:] == [1, 2]


def test_another_network_s_step_is_refused(model: bytes) -> None:
    with pytest.raises(BundleError, match=r"step\.onnx: expected forecasts and widths within 1e-05 of the trained"):
        parity_error(Forecaster(SPEC, 2), OnnxRuntime(model), "step.onnx")


def test_weights_that_are_not_finite_are_refused(forecaster: Forecaster, model: bytes) -> None:
    broken = Forecaster(SPEC, 2)
    broken.set_weights([np.full_like(each, np.nan) for each in forecaster.get_weights()])
    with pytest.raises(BundleError, match="got inf"):
        parity_error(broken, OnnxRuntime(model), "step.onnx")
    with pytest.raises(BundleError, match="got inf"):
        parity_error(broken, OnnxRuntime(export_onnx(broken)), "step.onnx")


def test_weights_are_arrays_that_make_the_same_forecaster(forecaster: Forecaster) -> None:
    restored = Forecaster(SPEC, 2)
    load_weights(restored, export_weights(forecaster))
    for one, other in zip(restored.get_weights(), forecaster.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
