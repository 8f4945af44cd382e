"""LiteRT, and tflite-runtime, which has the same interpreter: step.tflite, row by row or in blocks."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import BundleError
from edge.runtimes.runtime import Step, filled

ROWS = 64  #: of a block
FEW = 4  #: rows that cost less one by one than as a block


class LiteRuntime:
    """A step model in a TFLite interpreter, on one thread.

    The inputs are x and memory, the outputs in this order forecast, width if there is one, and memory. An interpreter
    has a fixed number of rows: there is one of a single row, and one of ROWS from the first time on that so many come.
    A row must be answered alike by both. Some interpreters add up a single row's products in another order; and a step
    with a loop cannot be made wider. So the block is first tried beside the single row, and not used if it differs.
    """

    def __init__(self, model: bytes, *, module: str = "ai_edge_litert", file: str = "step.tflite") -> None:
        self._make = import_module(f"{module}.interpreter").Interpreter
        self._model, self._file = model, file
        self._row = self._open(1)
        self.widths = self._row.widths  #: C' and S
        self._block: _Interpreter | None = None
        self._is_tried = False

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        """Advance each row by one slot."""
        if (x.shape[1], memory.shape[1]) != self.widths:
            raise BundleError(
                f"{self._file}: expected a step of {x.shape[1]} inputs and {memory.shape[1]} numbers of memory, "
                f"got one of {self.widths[0]} and {self.widths[1]}"
            )
        if len(x) == 1:
            return _named(self._row.run(x, memory))
        parts = list(self._parts(x, memory))
        return _named([np.concatenate(each) for each in zip(*parts, strict=True)])

    def _parts(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Iterator[list[NDArray[np.float32]]]:
        """Yield the outputs of blocks and of single rows, in order."""
        at = 0
        while at < len(x):
            rows = min(len(x) - at, ROWS)
            block = self._usable_block() if rows > FEW else None
            if block is None:
                rows = 1
                yield self._row.run(x[at : at + 1], memory[at : at + 1])
            else:
                here = slice(at, at + rows)
                yield [each[:rows] for each in block.run(filled(x[here], ROWS), filled(memory[here], ROWS))]
            at += rows

    def _usable_block(self) -> "_Interpreter | None":
        """Return the interpreter of a block if it answers as that of a single row does."""
        if not self._is_tried:
            self._is_tried = True
            try:
                block = self._open(ROWS)
            except BundleError:
                return None
            if _alike(self._row, block):
                self._block = block
        return self._block

    def _open(self, rows: int) -> "_Interpreter":
        try:
            return _Interpreter(self._make(model_content=self._model, num_threads=1), rows)
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise BundleError(f"{self._file}: expected a model that the interpreter loads, got: {reason}") from error


class _Interpreter:
    """An interpreter of so many rows."""

    def __init__(self, interpreter: Any, rows: int) -> None:
        ends = {end["name"].partition(":")[0]: end for end in interpreter.get_input_details()}
        outputs = interpreter.get_output_details()
        _check(ends, outputs)
        for end in ends.values():
            if rows != 1:
                interpreter.resize_tensor_input(end["index"], [rows, int(end["shape"][1])])
        interpreter.allocate_tensors()
        self.widths = int(ends["x"]["shape"][1]), int(ends["memory"]["shape"][1])
        self._x, self._memory = ends["x"]["index"], ends["memory"]["index"]
        self._outputs = [end["index"] for end in outputs]
        self._set, self._invoke, self._get = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
        if self.widths[1] == 0:
            self._outputs.pop()
        self.rows = rows

    def run(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return the outputs for exactly so many rows."""
        self._set(self._x, x)
        if self.widths[1]:
            self._set(self._memory, memory)
            self._invoke()
            return [self._get(index) for index in self._outputs]
        self._invoke()
        return [*(self._get(index) for index in self._outputs), memory]


def _check(ends: dict[str, Any], outputs: list[Any]) -> None:
    """Raise ValueError if the inputs and outputs are not those of a step."""
    if sorted(ends) != ["memory", "x"] or any(len(end["shape"]) != 2 for end in ends.values()):
        raise ValueError(f"inputs {', '.join(ends) or 'none'} rather than x and memory, both of rows")
    if len(outputs) not in (2, 3):
        raise ValueError(f"{len(outputs)} outputs rather than forecast, width if there is one, and memory")
    if any(end["dtype"] != np.float32 for end in (*ends.values(), *outputs)):
        raise ValueError("inputs or outputs that are not of single precision")


def _alike(row: _Interpreter, block: _Interpreter) -> bool:
    """Tell whether each row of a block is answered as it is alone, to the last bit."""
    random = np.random.default_rng(0)
    x, memory = (random.normal(size=(block.rows, width)).astype(np.float32) for width in row.widths)
    whole = block.run(x, memory)
    alone = [row.run(x[at : at + 1], memory[at : at + 1]) for at in range(block.rows)]
    return all(
        np.array_equal(of_block, np.concatenate(rows), equal_nan=True)
        for of_block, rows in zip(whole, zip(*alone, strict=True), strict=True)
    )


def _named(outputs: list[NDArray[np.float32]]) -> Step:
    forecast, after = outputs[0], outputs[-1]
    return forecast, outputs[1] if len(outputs) == 3 else None, after
