"""Least squares: the weights of a linear forecaster in closed form, with a ridge (Hoerl and Kennard 1970)."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from models.forecaster import Forecaster
from models.training.sequences import Stretches

RIDGES = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  #: times the number of targets; features are of deviation 1 or so
_BLOCK = 64  # stretches at a time


def fit_ridge(
    forecaster: Forecaster,
    features: Callable[[Any], Any],
    layer: keras.layers.Dense,
    learnt: Stretches,
    error: Callable[[], float],
    standard_error: float,
) -> float:
    """Give a layer, which adds what is linear in the features to the forecast, its best weights; return the error.

    `features` turns x (B, T, C') into (B, T, F); the layer's weights must be zero before, and so must all that is added
    to it, so that the forecast is what is beneath.

    A solution is the least of squared error plus ridge, sum (y - w p)^2 + r |w|^2, over the targets learnt from; the
    bias carries no ridge. The best of the ridges is the one whose `error()`, measured on what was held out, is least;
    the weights stay zero unless it is less than theirs by more than its `standard_error`, a share of it.
    """
    targets = [(ahead, each) for ahead in range(learnt.target.shape[2]) for each in range(learnt.target.shape[3])]
    solved = [_solve(forecaster, features, learnt, *each) for each in targets]
    tried = [layer.get_weights(), *([each[:-1], each[-1]] for each in np.stack(solved, axis=2))]
    errors = []
    for weights in tried:
        layer.set_weights(weights)
        errors.append(error())
    best = int(np.argmin(errors))
    if errors[best] >= (1 - standard_error) * errors[0]:
        best = 0
    layer.set_weights(tried[best])
    return errors[best]


def _solve(
    forecaster: Forecaster, features: Callable[[Any], Any], learnt: Stretches, ahead: int, channel: int
) -> NDArray[np.float64]:
    """Return the weights (R, F + 1), bias last, for one channel so many slots ahead and each ridge."""
    gram, moment, count = np.zeros(()), np.zeros(()), 0
    for first in range(0, len(learnt), _BLOCK):
        part = slice(first, first + _BLOCK)
        counts = learnt.weight[part, :, ahead, channel] > 0
        untrained = forecaster(learnt.x[part])[0].numpy()[:, :, ahead, channel]
        y = (learnt.target[part, :, ahead, channel] - untrained)[counts].astype(np.float64)
        p = features(learnt.x[part]).numpy()[counts].astype(np.float64)
        p = np.concatenate([p, np.ones((len(p), 1))], axis=1)
        gram, moment, count = gram + p.T @ p, moment + p.T @ y, count + len(p)
    ridge = np.diag(np.append(np.ones(len(gram) - 1), 1e-12))
    return np.stack([np.linalg.solve(gram + each * max(count, 1) * ridge, moment) for each in RIDGES])
