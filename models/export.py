"""Export: from a forecaster to what a bundle carries of it.

Each runtime's form of the step is one function here, and is compared with Keras before it is let go.
"""

import io
import warnings

import numpy as np
import onnx
import tf2onnx

from edge.bundle import STEP_ONNX
from edge.errors import BundleError, ConfigError
from edge.runtimes.onnx import OnnxRuntime
from models.forecaster import Forecaster
from models.parity import parity_error
from models.spec import ForecasterSpec

OPSET = 18


def export_onnx(forecaster: Forecaster) -> bytes:
    """Return the step as an ONNX model of any batch size: x, memory -> forecast, width if it has one, memory_out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"In the future `np\.object` will be defined", FutureWarning)
        step = forecaster.traced_step
        model, external = tf2onnx.convert.from_function(step, input_signature=step.input_signature, opset=OPSET)
    if external:
        raise BundleError("step.onnx: expected all weights within the model, got external data")
    point = forecaster.spec.head == "point"
    _name_outputs(model, ("forecast", "memory_out") if point else ("forecast", "width", "memory_out"))
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def check_exportable(spec: ForecasterSpec, channels: int) -> None:
    """Raise ConfigError if a forecaster of this spec cannot be exported, which is cheap to know before training."""
    try:
        forecaster = Forecaster(spec, channels)
        parity_error(forecaster, OnnxRuntime(export_onnx(forecaster)), STEP_ONNX)
    except ConfigError:
        raise
    except Exception as error:  # converter, checker and runtime raise classes that share no base of their own
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise ConfigError(f"family: expected a network that can be exported, got {spec.family}: {reason[0]}") from error


def export_weights(forecaster: Forecaster) -> bytes:
    """Return weights.npz: the arrays by their path in the network, in the network's order."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{each.path: each.numpy() for each in forecaster.weights})
    return buffer.getvalue()


def load_weights(forecaster: Forecaster, data: bytes) -> None:
    """Give a forecaster of the same spec the weights of a weights.npz."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        forecaster.set_weights([arrays[each.path] for each in forecaster.weights])


def _name_outputs(model: onnx.ModelProto, names: tuple[str, ...]) -> None:
    new = {output.name: name for output, name in zip(model.graph.output, names, strict=True)}
    for node in model.graph.node:
        for ends in (node.input, node.output):
            for at, name in enumerate(ends):
                ends[at] = new.get(name, name)
    for output in model.graph.output:
        output.name = new[output.name]
