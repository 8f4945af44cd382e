"""Networks that cannot stream: they look at the whole window of the last slots each time."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

SAMPLES = 4  #: targets a window's length, where only some of the slots are targets


class Windowed(keras.layers.Layer):  # type: ignore[misc]
    """A network on a sliding window of L slots; the memory is the inputs of the last L - 1, S = (L - 1) C'.

    Slots before the beginning are zeros. The network turns windows (N, L, C') into features (N, U).
    """

    def __init__(self, network: Any, lookback: int) -> None:
        super().__init__(name="body")
        self._network, self._lookback = network, lookback

    def call(self, x: Any, at: Any = None) -> Any:
        """Return the features (B, T, U) of a sequence (B, T, C'), or only those (B, n, U) at the slots `at` (n,)."""
        at = ops.arange(ops.shape(x)[1]) if at is None else at
        padded = ops.pad(x, ((0, 0), (self._lookback - 1, 0), (0, 0)))
        windows = ops.take(padded, at[:, None] + np.arange(self._lookback), axis=1)
        features = self._network(ops.reshape(windows, (-1, self._lookback, x.shape[2])))
        return ops.reshape(features, (-1, ops.shape(at)[0], features.shape[1]))

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the features (B, U) of one slot (B, C') and the memory (B, S) after it."""
        window = ops.concatenate([memory, x], axis=1)
        features = self._network(ops.reshape(window, (-1, self._lookback, x.shape[1])))
        return features, window[:, x.shape[1] :]


def some_slots(length: int, lookback: int, random: np.random.Generator) -> NDArray[np.int32]:
    """Return evenly spaced slots (n,) of a stretch, from a random one on; each has a whole window behind it.

    They are `SAMPLES` a window's length: neighbouring windows are nearly the same, and cost as much again.
    """
    targets = length - lookback + 1
    every = min(max(lookback // SAMPLES, 1), targets)
    count = targets // every
    first = lookback - 1 + random.integers(targets - (count - 1) * every)
    return (first + every * np.arange(count)).astype(np.int32)
