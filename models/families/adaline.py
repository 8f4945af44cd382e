"""ADALINE: linear neurons that learn while they serve, by the LMS rule (Widrow and Hoff 1960)."""

from typing import Any

import keras
from keras import ops

from models.families.memory import learning_window
from models.families.recurrent import Recurrent
from models.spec import ForecasterSpec

RATE = 0.05  #: the share of an error that its correction takes away; stable below 2


def body(spec: ForecasterSpec, channels: int) -> Recurrent:
    """Return one neuron for each channel and slot of the horizon, on the last `lookback` slots."""
    neurons = keras.layers.RNN(AdalineCell(spec, channels), return_sequences=True, name="adaline")
    return Recurrent([neurons], dropout=0.0)


class AdalineCell(keras.layers.Layer):  # type: ignore[misc]
    """One slot of ADALINE, which has no weights: they are in each stream's memory, and begin at zero.

    When the value y comes that was forecast h slots ago from the window p (with a bias, 1, at its end), the weights of
    that forecast are corrected by the normalised rule, w' = w + RATE (y - w p) p / |p|^2 (Widrow and Lehr 1990). So the
    memory is the inputs of the last L + H - 1 slots, how many of them have been (up to H), and the weights. With a
    skip, w p is the change from the value at the window's end. A forecast fed in place of a missing value teaches
    nothing when H is 1, since its error is zero.
    """

    def __init__(self, spec: ForecasterSpec, channels: int) -> None:
        super().__init__(name="cell")
        self.state_size = learning_window(spec, channels)
        self.output_size = spec.horizon * channels
        self._lookback, self._horizon, self._channels = spec.lookback, spec.horizon, channels
        self._inputs, self._skip = spec.inputs(channels), spec.skip

    def call(self, x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """Return the forecasts (B, H C) after one slot (B, C') and the memory after it."""
        past = (self._lookback + self._horizon - 1) * self._inputs
        inputs, count, weights = ops.split(states[0], [past, past + 1], axis=1)
        inputs = ops.concatenate([inputs, x], axis=1)
        history = ops.reshape(inputs, (-1, self._lookback + self._horizon, self._inputs))
        weights = ops.reshape(weights, (-1, self._horizon, self._channels, self._lookback * self._inputs + 1))

        weights = self._learnt(history, count, weights)
        change = _product(weights, self._window(history, 0)[:, None])
        forecast = change + self._base(history, 0)[:, None]
        count = ops.minimum(count + 1.0, float(self._horizon))
        after = [inputs[:, self._inputs :], count, ops.reshape(weights, (-1, self.state_size - past - 1))]
        return ops.reshape(forecast, (-1, self.output_size)), [ops.concatenate(after, axis=1)]

    def _learnt(self, history: Any, count: Any, weights: Any) -> Any:
        """Return the weights (B, H, C, F) corrected by the errors of the forecasts made for the present slot."""
        ago = range(1, self._horizon + 1)
        window = ops.stack([self._window(history, slots) for slots in ago], axis=1)
        base = ops.stack([self._base(history, slots) for slots in ago], axis=1)
        was_made = ops.stack([ops.cast(count >= slots, "float32") for slots in ago], axis=1)
        change = history[:, -1:, : self._channels] - base
        error = (change - _product(weights, window)) * was_made
        towards = window / _product(window[:, :, None], window)
        return weights + RATE * error[..., None] * towards[:, :, None]

    def _window(self, history: Any, ago: int) -> Any:
        """Return the window (B, F) that ended some slots ago, with the bias."""
        end = self._lookback + self._horizon - ago
        window = ops.reshape(history[:, end - self._lookback : end], (-1, self._lookback * self._inputs))
        return ops.pad(window, ((0, 0), (0, 1)), constant_values=1.0)

    def _base(self, history: Any, ago: int) -> Any:
        """Return what was added to the neurons' output (B, C) some slots ago."""
        value = history[:, self._lookback + self._horizon - 1 - ago, : self._channels]
        return value if self._skip else ops.zeros_like(value)


def _product(weights: Any, window: Any) -> Any:
    """Return the products (B, H, C) of weights (B, H, C, F) and windows (B, H, F).

    Written as a product of matrices, its rounding does not depend on where a row lies in memory, as that of a sum does.
    """
    return ops.matmul(weights, window[..., None])[..., 0]
