"""The runtime: what the engine asks of whatever executes a step model."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK = 2048  #: rows a call; larger blocks leave the cache, smaller ones pay for the calls

Step = tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.float32]]  #: forecast, width, memory


class Runtime(Protocol):
    """Executes step(x, memory) -> (forecast, width, memory). A row's answer does not depend on the rows beside it."""

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        """Advance each row by one slot.

        `x` is (n, inputs) and `memory` (n, S); the answer is the forecast (n, H, C), how wide its errors are
        expected to be (n, H, C), scaled, or None from a forecaster that does not say, and the new memory.
        """
        ...


def filled(rows: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return rows (n, k) followed by rows of zeros up to `count`."""
    if len(rows) == count:
        return rows
    whole = np.zeros((count, rows.shape[1]), np.float32)
    whole[: len(rows)] = rows
    return whole
