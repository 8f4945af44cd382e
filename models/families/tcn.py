"""TCN: a temporal convolutional network, residual blocks of dilated causal convolutions (Bai et al. 2018)."""

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import keras
from keras import ops

from models.families.memory import KERNEL, convolution_memories
from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> "TCN":
    """Return as many blocks of U filters as it takes to see `lookback` slots."""
    return TCN(spec, channels)


class TCN(keras.layers.Layer):  # type: ignore[misc]
    """Blocks of two convolutions, x' = a(x + a(conv(a(conv(x))))); the first block's x is brought to U filters.

    The memory is what each convolution still needs of its own past inputs, so that a step computes one slot, not
    the receptive field (Paine et al. 2016). Slots before the beginning are zeros in every layer.
    """

    def __init__(self, spec: ForecasterSpec, channels: int) -> None:
        super().__init__(name="body")
        self._memories = convolution_memories(spec, channels)
        self._activation = keras.activations.get(spec.activation)
        self._shortcut = keras.layers.Dense(spec.units, use_bias=False, name="shortcut")
        self._convolutions = [
            keras.layers.Conv1D(
                spec.units, KERNEL, padding="causal", dilation_rate=reach // (KERNEL - 1), name=f"convolution_{k}"
            )
            for k, (reach, _) in enumerate(self._memories)
        ]
        self._dropouts = [keras.layers.Dropout(spec.dropout, noise_shape=(None, 1, None)) for _ in self._memories]

    def call(self, x: Any) -> Any:
        """Return the features (B, T, U) of a sequence (B, T, C')."""
        return self._blocks(x, lambda k, inner: self._convolutions[k](inner))

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the features (B, U) of one slot (B, C') and the memory (B, S) after it."""
        ends = list(accumulate(reach * width for reach, width in self._memories))
        pasts, after = ops.split(memory, ends[:-1], axis=1), []

        def convolve(k: int, inner: Any) -> Any:
            (reach, width), convolution = self._memories[k], self._convolutions[k]
            slots = ops.concatenate([pasts[k], inner], axis=1)
            after.append(slots[:, width:])
            seen = ops.reshape(slots, (-1, reach + 1, width))[:, :: reach // (KERNEL - 1)]
            kernel = ops.reshape(convolution.kernel, (KERNEL * width, -1))
            return ops.reshape(seen, (-1, KERNEL * width)) @ kernel + convolution.bias

        return self._blocks(x, convolve), ops.concatenate(after, axis=1)

    def _blocks(self, x: Any, convolve: Callable[[int, Any], Any]) -> Any:
        for first in range(0, len(self._memories), 2):
            inner = x
            for k in (first, first + 1):
                inner = self._dropouts[k](self._activation(convolve(k, inner)))
            x = self._activation(inner + (x if first else self._shortcut(x)))
        return x
