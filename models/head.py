"""The head: what turns a network's features into a forecast, and into how sure it is of it."""

from math import expm1, log
from typing import Any

import keras
from keras import ops

from edge.errors import ConfigError
from models.spec import ForecasterSpec

LEAST_WIDTH = 0.01  #: deviations; nothing is foreseen more closely
_OUTPUTS = {"linear": None, "sigmoid": "sigmoid", "softmax": "softmax"}
_WIDTH_ONE = log(expm1(1 - LEAST_WIDTH))  # softplus of it is 1 - LEAST_WIDTH


class Head(keras.layers.Layer):  # type: ignore[misc]
    """Dense layers from features (..., U) to the forecast (..., H, C) and, where the head has one, its width.

    The forecast goes through the `output` of the spec; a linear one is added to what is beneath it: the last values and
    what is linear. The width of a gaussian head is the deviation of the errors, that of a student_t head their scale
    (Nix and Weigend 1994): softplus, held above LEAST_WIDTH. Kernels begin at zero, so that training begins with the
    forecast beneath and a width of 1.
    """

    def __init__(self, spec: ForecasterSpec, channels: int) -> None:
        super().__init__(name="head")
        if spec.output == "softmax" and channels < 2:
            raise ConfigError("output: expected sigmoid or linear for one channel, got softmax")
        self._shape = (spec.horizon, channels)
        self._output = keras.activations.get(_OUTPUTS[spec.output])
        self.forecast = self._dense("forecast", 0.0)
        self._width = None if spec.head == "point" else self._dense("width", _WIDTH_ONE)

    def call(self, features: Any, beneath: Any) -> tuple[Any, Any]:
        """Return forecast (..., H, C) and width or None, for features (..., U) and what is beneath (..., 1 or H, C)."""
        forecast = self._output(shaped(self.forecast(features), self._shape)) + beneath
        if self._width is None:
            return forecast, None
        return forecast, LEAST_WIDTH + ops.softplus(shaped(self._width(features), self._shape))

    def _dense(self, name: str, bias: float) -> Any:
        start = keras.initializers.Constant(bias)
        return keras.layers.Dense(
            self._shape[0] * self._shape[1], kernel_initializer="zeros", bias_initializer=start, name=name
        )


class NoHead(keras.layers.Layer):  # type: ignore[misc]
    """What stands in a head's place where the body gives the forecast itself."""

    def __init__(self, spec: ForecasterSpec, channels: int) -> None:
        super().__init__(name="head")
        self._shape = (spec.horizon, channels)

    def call(self, features: Any, beneath: Any) -> tuple[Any, Any]:  # noqa: ARG002
        """Return the features (..., H C) as forecast (..., H, C), and no width."""
        return shaped(features, self._shape), None


def shaped(numbers: Any, shape: tuple[int, int]) -> Any:
    """Return numbers (..., H C) as (..., H, C)."""
    if len(numbers.shape) == 2:  # a step: written without the number of rows, or a TFLite graph computes it
        return ops.reshape(numbers, (-1, *shape))
    return ops.reshape(numbers, (*ops.shape(numbers)[:-1], *shape))
