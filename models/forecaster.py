"""The forecaster: a family's body and a head that turns its features into a forecast."""

from typing import Any

import keras
from keras import ops

from models.families import open_family
from models.spec import ForecasterSpec


class Forecaster(keras.Model):  # type: ignore[misc]
    """Forecasts the next H slots of C channels, over a whole sequence or one slot at a time.

    x at slot t is the scaled values of the C channels, followed by the calendar inputs of slot t + 1. With
    a skip the forecast is the last value of each channel plus the head's output. The head begins at zero, so
    that training begins with the last-value forecast.
    """

    def __init__(self, spec: ForecasterSpec, channels: int) -> None:
        super().__init__(name="forecaster")
        inputs = channels + (4 if spec.calendar else 0)
        self.spec, self.channels, self.inputs = spec, channels, inputs
        self.body = open_family(spec, inputs)
        self.memory_size = self.body.memory_size
        self._head = keras.layers.Dense(spec.horizon * channels, kernel_initializer="zeros", name="head")
        self(ops.zeros((1, spec.lookback, inputs)))

    def call(self, x: Any) -> Any:
        """Return the forecasts (B, T, H, C) made at each slot of a sequence (B, T, C')."""
        forecast = ops.reshape(self._head(self.body(x)), (-1, ops.shape(x)[1], self.spec.horizon, self.channels))
        return forecast + x[:, :, None, : self.channels] if self.spec.skip else forecast

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the forecast (B, H, C) made at one slot (B, C') and the memory (B, S) after it."""
        features, after = self.body.step(x, memory)
        forecast = ops.reshape(self._head(features), (-1, self.spec.horizon, self.channels))
        return forecast + x[:, None, : self.channels] if self.spec.skip else forecast, after
