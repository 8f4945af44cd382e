"""Export: from a forecaster to what a bundle carries of it.

Each runtime's form of the step is one function here, and is compared with Keras before it is let go.
"""

import io
import warnings

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from edge.errors import BundleError
from edge.runtime import OnnxRuntime, Runtime
from models.forecaster import Forecaster
from models.runtime import KerasRuntime, step_signature

OPSET = 18
TOLERANCE = 1e-5  #: between Keras and a runtime, scaled, after PARITY_STEPS
PARITY_STEPS = 256
PARITY_STREAMS = 4


def export_onnx(forecaster: Forecaster) -> bytes:
    """Return the step as an ONNX model of any batch size: x, memory -> forecast, memory_out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"In the future `np\.object` will be defined", FutureWarning)
        model, external = tf2onnx.convert.from_function(
            tf.function(forecaster.step), input_signature=step_signature(forecaster), opset=OPSET
        )
    if external:
        raise BundleError("step.onnx: expected all weights within the model, got external data")
    _name_outputs(model, ("forecast", "memory_out"))
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def export_weights(forecaster: Forecaster) -> bytes:
    """Return weights.npz: the arrays by their path in the network, in the network's order."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{each.path: each.numpy() for each in forecaster.weights})
    return buffer.getvalue()


def load_weights(forecaster: Forecaster, data: bytes) -> None:
    """Give a forecaster of the same spec the weights of a weights.npz."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        forecaster.set_weights([arrays[each.path] for each in forecaster.weights])


def parity_error(forecaster: Forecaster, model: bytes) -> float:
    """Return how far an exported step strays from Keras; BundleError if by more than the tolerance."""
    error = _divergence(KerasRuntime(forecaster), OnnxRuntime(model), forecaster)
    if not error <= TOLERANCE:
        raise BundleError(
            f"step.onnx: expected forecasts within {TOLERANCE:g} of the trained network's over {PARITY_STEPS} steps, "
            f"got {error:.2g}"
        )
    return error


def _divergence(reference: Runtime, exported: Runtime, forecaster: Forecaster) -> float:
    """Return the greatest difference over steps from zero memory, each with its own; infinite if any is not finite."""
    random = np.random.default_rng(0)
    memories = [np.zeros((PARITY_STREAMS, forecaster.memory_size), np.float32)] * 2
    worst = 0.0
    for _ in range(PARITY_STEPS):
        x = random.uniform(-3, 3, (PARITY_STREAMS, forecaster.inputs)).astype(np.float32)
        forecast, memories[0] = reference.step(x, memories[0])
        other, memories[1] = exported.step(x, memories[1])
        if not all(np.isfinite(each).all() for each in (forecast, other, *memories)):
            return float("inf")
        worst = max(worst, float(np.abs(forecast - other).max()), float(np.abs(memories[0] - memories[1]).max()))
    return worst


def _name_outputs(model: onnx.ModelProto, names: tuple[str, ...]) -> None:
    new = {output.name: name for output, name in zip(model.graph.output, names, strict=True)}
    for node in model.graph.node:
        for ends in (node.input, node.output):
            for at, name in enumerate(ends):
                ends[at] = new.get(name, name)
    for output in model.graph.output:
        output.name = new[output.name]
