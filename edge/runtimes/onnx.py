"""ONNX Runtime: step.onnx, whose number of rows is free."""

import numpy as np
from numpy.typing import NDArray

from edge.errors import BundleError
from edge.runtimes.runtime import Step, filled

LANES = 16  #: rows a call is filled up to a multiple of; no vector register holds more single-precision numbers


class OnnxRuntime:
    """A step model in ONNX Runtime, on one thread.

    The runtime computes the last few numbers of an array, which fill no vector register, by other instructions than the
    rest; so calls are filled up with rows of zeros, and a row's answer does not depend on the rows beside it.
    """

    def __init__(self, model: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises several classes that share no base of their own
            raise BundleError(f"step.onnx: expected a model that ONNX Runtime loads, got: {error}") from error
        inputs = {each.name: each.shape[-1] for each in self._session.get_inputs()}
        outputs = {each.name for each in self._session.get_outputs()}
        if inputs.keys() != {"x", "memory"} or not {"forecast", "memory_out"} <= outputs:
            raise BundleError(
                "step.onnx: expected a step from x and memory to forecast and memory_out, "
                f"got one from {', '.join(inputs) or 'nothing'} to {', '.join(sorted(outputs)) or 'nothing'}"
            )
        self._has_width = "width" in outputs
        self._widths = inputs["x"], inputs["memory"]

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        """Advance each row by one slot."""
        if (x.shape[1], memory.shape[1]) != self._widths:
            raise BundleError(
                f"step.onnx: expected a step of {x.shape[1]} inputs and {memory.shape[1]} numbers of memory, "
                f"got one of {self._widths[0]} and {self._widths[1]}"
            )
        rows, whole = len(x), -(-len(x) // LANES) * LANES
        given = {"x": filled(x, whole), "memory": filled(memory, whole)}
        if self._has_width:
            forecast, width, after = self._session.run(["forecast", "width", "memory_out"], given)
            return forecast[:rows], width[:rows], after[:rows]
        forecast, after = self._session.run(["forecast", "memory_out"], given)
        return forecast[:rows], None, after[:rows]
