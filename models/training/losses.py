"""Losses: what training makes least, as the mean over what was there to be forecast."""

from collections.abc import Callable
from math import log, pi
from typing import Any

import keras
from keras import ops

from models.spec import ForecasterSpec, TrainingSpec, loss_of

DEGREES = 4.0  #: of freedom of the Student-t head; fixed, as Lange, Little and Taylor (1989) advise
_ROOT_FLOOR = 1e-12  # the slope of a root is infinite at 0, where a channel at rest is

Pointwise = Callable[[Any, Any, Any], Any]  #: (target, forecast, width), each (..., H, C) -> (..., H, C)


class Loss:
    """The loss of a training: Keras' own, or the likelihood of the head."""

    def __init__(self, spec: ForecasterSpec, training: TrainingSpec) -> None:
        self.name = loss_of(spec, training)
        self._pointwise = _pointwise(self.name, spec, training)

    @property
    def judges(self) -> bool:
        """Tell whether it says more than the mean absolute error, and so which weights are best."""
        return self.name in ("likelihood", "cross_entropy")

    def total(self, target: Any, outlook: tuple[Any, Any], weight: Any) -> Any:
        """Return the sum of the loss where the weight (..., H, C) is 1; `outlook` is forecast and width."""
        return ops.sum(self._pointwise(target, *outlook) * weight)

    def mean(self, total: Any, count: Any) -> Any:
        """Return the loss of totals over so many targets."""
        mean = total / ops.maximum(count, 1.0)
        return ops.sqrt(mean + _ROOT_FLOOR) if self.name == "rmse" else mean


def _pointwise(name: str, spec: ForecasterSpec, training: TrainingSpec) -> Pointwise:
    if name == "likelihood":
        return {"gaussian": gaussian, "student_t": student_t}[spec.head]
    if name == "cross_entropy":
        return _categorical if spec.output == "softmax" else _each(keras.losses.binary_crossentropy)
    if name == "huber":  # over its knee, so that it is the absolute error where it is straight
        return _each(lambda target, forecast: keras.losses.huber(target, forecast, training.knee) / training.knee)
    return _each(keras.losses.mean_absolute_error if name == "mae" else keras.losses.mean_squared_error)


def gaussian(target: Any, forecast: Any, width: Any) -> Any:
    """Return the negative logarithm of the normal density with that mean and deviation (Nix and Weigend 1994)."""
    share = (target - forecast) / width
    return ops.log(width) + 0.5 * ops.square(share) + 0.5 * log(2 * pi)


def student_t(target: Any, forecast: Any, width: Any) -> Any:
    """Return the negative logarithm of Student's density with DEGREES, less its constant.

    Its tails are heavy, so that an outlier moves neither forecast nor width by much.
    """
    share = (target - forecast) / width
    return ops.log(width) + 0.5 * (DEGREES + 1) * ops.log1p(ops.square(share) / DEGREES)


def _each(loss: Callable[[Any, Any], Any]) -> Pointwise:
    """Return a loss of Keras, which takes the mean of the last axis, as one of single numbers."""
    return lambda target, forecast, _: loss(target[..., None], forecast[..., None])


def _categorical(target: Any, forecast: Any, _: Any) -> Any:
    """Return the cross-entropy of each slot, the same in all its channels."""
    return keras.losses.categorical_crossentropy(target, forecast)[..., None] * ops.ones_like(target)
