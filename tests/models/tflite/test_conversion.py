import numpy as np
import pytest

from edge.errors import BundleError
from edge.runtimes.litert import LiteRuntime
from models.forecaster import Forecaster
from models.parity import parity_error
from models.runtime import KerasRuntime
from models.spec import ACTIVATIONS, GATES, ForecasterSpec
from models.tflite.conversion import convert, converter_of, export_tflite, operators


def made(family: str, **settings: object) -> Forecaster:
    return Forecaster(ForecasterSpec(family=family, units=4, lookback=4, **settings), 2)  # type: ignore[arg-type]


def test_operators_are_listed() -> None:
    assert {"FULLY_CONNECTED", "TANH"} <= set(operators(export_tflite(made("elman")), "step.tflite"))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_has_builtin_operators(activation: str) -> None:
    forecaster = made("mlp", activation=activation)
    assert parity_error(forecaster, LiteRuntime(export_tflite(forecaster)), "step.tflite") <= 1e-5


@pytest.mark.parametrize("gates", GATES)
def test_every_activation_of_gates_has_builtin_operators(gates: str) -> None:
    forecaster = made("gru", recurrent_activation=gates, reset_after=False, layers=2)
    x, memory = np.ones((1, forecaster.inputs), np.float32), np.zeros((1, forecaster.memory_size), np.float32)
    forecast, _, _ = LiteRuntime(export_tflite(forecaster)).step(x, memory)
    expected, _, _ = KerasRuntime(forecaster).step(x, memory)
    assert forecast == pytest.approx(expected, abs=1e-5)  # of one step: gates of tanh make what differs at all grow


@pytest.mark.parametrize("settings", [{"head": "gaussian"}, {"head": "student_t"}, {"output": "softmax"}])
def test_every_head_has_builtin_operators(settings: dict[str, object]) -> None:
    forecaster = made("lstm", **settings)
    assert parity_error(forecaster, LiteRuntime(export_tflite(forecaster)), "step.tflite") <= 1e-5


def test_an_operator_of_tensorflow_proper_is_refused() -> None:
    import tensorflow as tf

    converter = converter_of(made("elman"))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.SELECT_TF_OPS]
    with pytest.raises(
        BundleError, match=r"step\.tflite: expected builtin operators, which every device has, got Flex"
    ):
        convert(converter)


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x1c\x00\x00\x00TFL3" + bytes(9)])
def test_what_is_no_model_has_no_operators(data: bytes) -> None:
    with pytest.raises(BundleError, match=r"x\.tflite: expected a TFLite model"):
        operators(data, "x.tflite")
