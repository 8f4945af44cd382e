"""Runtimes: what executes a bundle's step model. One is imported, and only when it is opened."""

from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import BundleError

BLOCK = 2048  #: rows a call; larger blocks leave the cache, smaller ones pay for the calls

LANES = 16  #: rows a call is filled up to a multiple of; no vector register holds more single-precision numbers

Step = tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.float32]]  #: forecast, width, memory


class Runtime(Protocol):
    """Executes step(x, memory) -> (forecast, width, memory)."""

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        """Advance each row by one slot.

        `x` is (n, inputs) and `memory` (n, S); the answer is the forecast (n, H, C), how wide its errors are
        expected to be (n, H, C), scaled, or None from a forecaster that does not say, and the new memory.
        """
        ...


class OnnxRuntime:
    """A step model in ONNX Runtime, on one thread.

    A row's answer does not depend on the rows beside it. The runtime computes the last few numbers of an array, which
    fill no vector register, by other instructions than the rest; so calls are filled up with rows of zeros.
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
        self._has_width = "width" in {output.name for output in self._session.get_outputs()}

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        """Advance each row by one slot."""
        rows = len(x)
        given = {"x": _filled(x), "memory": _filled(memory)}
        if self._has_width:
            forecast, width, after = self._session.run(["forecast", "width", "memory_out"], given)
            return forecast[:rows], width[:rows], after[:rows]
        forecast, after = self._session.run(["forecast", "memory_out"], given)
        return forecast[:rows], None, after[:rows]


def _filled(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows (n, k) followed by rows of zeros up to a multiple of LANES."""
    if len(rows) % LANES == 0:
        return rows
    filled = np.zeros((-(-len(rows) // LANES) * LANES, rows.shape[1]), np.float32)
    filled[: len(rows)] = rows
    return filled


def open_runtime(files: dict[str, bytes]) -> Runtime:
    """Open the step model among a bundle's files in the runtime that is installed."""
    if find_spec("onnxruntime") is None:
        raise BundleError("runtime: expected onnxruntime to be installed (pip install 'foresense[onnx]'), got none")
    return OnnxRuntime(files["step.onnx"])
