"""The forecaster: a family's body and a head that turns its features into a forecast."""

from functools import cached_property
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.autoregression import Autoregression
from models.families import FAMILIES, open_family
from models.head import Head, NoHead, shaped
from models.spec import ForecasterSpec


class Forecaster(keras.Model):  # type: ignore[misc]
    """Forecasts the next H slots of C channels, over a whole sequence or one slot at a time.

    x at slot t is the scaled values of the C channels, followed by the calendar inputs of slot t + 1. The forecast is
    the head's output, plus the last value of each channel with a skip, plus what is linear in the last slots with an
    order. Beside it stands its width, of the same shape, or None if the head has none. The memory is that of the
    linear part, then that of the body.
    """

    def __init__(self, spec: ForecasterSpec, channels: int) -> None:
        super().__init__(name="forecaster")
        self.spec = spec = spec.sized(channels)
        self.channels, self.inputs, self.memory_size = channels, spec.inputs(channels), spec.memory(channels)
        self._skips = spec.skip and spec.output == "linear"
        self.body = open_family(spec, channels)
        self.linear = Autoregression(spec, channels) if spec.order else None
        self.head = (Head if FAMILIES[spec.family].has_head else NoHead)(spec, channels)
        self(ops.zeros((1, spec.lookback, self.inputs)))

    def call(self, x: Any, at: Any = None) -> tuple[Any, Any]:
        """Return the forecasts (B, T, H, C) made at each slot of a sequence (B, T, C'), and their widths.

        Given slots `at` (n,), a forecaster whose family samples returns theirs alone (B, n, H, C).
        """
        values = x[..., : self.channels]
        beneath = self._beneath(values, self.linear(x) if self.linear else None)
        if at is None:
            return self.head(self.body(x), beneath)  # type: ignore[no-any-return]
        return self.head(self.body(x, at), ops.take(beneath, at, axis=1))  # type: ignore[no-any-return]

    def step(self, x: Any, memory: Any) -> tuple[Any, Any, Any]:
        """Return the forecast (B, H, C) made at one slot (B, C'), its width, and the memory (B, S) after it."""
        values, linear = x[:, : self.channels], None
        if self.linear:
            window = (self.spec.order - 1) * self.channels
            linear, past = self.linear.step(x, memory[:, :window])
            memory = memory[:, window:]
        features, after = self.body.step(x, memory)
        forecast, width = self.head(features, self._beneath(values, linear))
        return forecast, width, ops.concatenate([past, after], axis=1) if self.linear else after

    def _beneath(self, values: Any, linear: Any) -> Any:
        """Return what the head's output is added to (..., 1 or H, C), of the last values (..., C)."""
        last = shaped(values, (1, self.channels))
        last = last if self._skips else ops.zeros_like(last)
        return last if linear is None else last + linear

    @cached_property
    def traced_step(self) -> Any:
        """Return the step as a function of TensorFlow, which is traced once, for any number of rows."""
        return self.trace_step(None)

    def trace_step(self, rows: int | None) -> Any:
        """Return the step as a function of TensorFlow, x (rows, C') and memory (rows, S), None being any number."""
        shapes = {"x": self.inputs, "memory": self.memory_size}
        signature = [tf.TensorSpec([rows, size], tf.float32, name=name) for name, size in shapes.items()]
        return tf.function(self.step, input_signature=signature)
