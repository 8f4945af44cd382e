"""Fitting: a forecaster runs through its stretches and learns to forecast each next slot."""

import logging
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from edge.errors import ConfigError
from models.forecaster import Forecaster
from models.progress import Progress
from models.sequences import Stretches
from models.spec import ForecasterSpec, TrainingSpec

LEAST_STEPS = 8  #: steps an epoch: where stretches are few, batches are small
EVALUATED = 512  #: stretches forecast at a time
KNEE = 0.3  #: deviations; the loss is square below and straight above (Huber 1964)
SLOWER = 0.3  #: what the learning rate is multiplied by when half the patience is used up

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A forecaster with the weights of its best epoch."""

    forecaster: Forecaster
    epochs: int
    error: float  #: mean absolute error on what was held out, scaled
    stopped: str  #: why there were no more epochs


def fit(
    learnt: Stretches,
    held_out: Stretches,
    spec: ForecasterSpec,
    training: TrainingSpec,
    *,
    progress: bool = False,
    good_enough: float = 0.0,
) -> Fitted:
    """Train a new forecaster and return it as it was when its held-out error was least.

    It stops after `patience` epochs that are no better, after `epochs`, at an error of `good_enough`, when
    the loss is no longer finite (ConfigError if it never was), or when it is interrupted after the first
    epoch. The same arguments give the same weights on the same machine.
    """
    keras.utils.set_random_seed(training.seed)
    forecaster = Forecaster(spec, learnt.target.shape[-1])
    trainer, judge = _Trainer(forecaster, learnt, training), _Judge(forecaster, held_out)
    best = _Best(forecaster, judge.error(), training, good_enough)
    with Progress(training.epochs, shown=progress) as shown:
        while not best.stopped:
            try:
                loss, error = trainer.run_epoch(), judge.error()
            except KeyboardInterrupt:
                best.interrupt()
                break
            best.take(loss, error)
            shown.advance(loss, error)
            if best.stale == (training.patience + 1) // 2:
                trainer.slow_down()
    forecaster.set_weights(best.weights)
    return Fitted(forecaster, best.epochs, best.error, best.stopped)


def last_value_error(stretches: Stretches) -> float:
    """Return the mean absolute error, scaled, of the forecast that nothing changes."""
    error = np.abs(stretches.last[:, :, None] - stretches.target) * stretches.weight
    return float(error.sum(dtype=np.float64) / stretches.weight.sum(dtype=np.float64))


class _Best:
    """Keeps the best epoch's weights and knows when there should be no further epoch."""

    def __init__(self, forecaster: Forecaster, error: float, training: TrainingSpec, good_enough: float) -> None:
        self._forecaster, self._training, self._good_enough = forecaster, training, good_enough
        self.error, self.weights = error, forecaster.get_weights()
        self.epochs = self.stale = 0
        self.stopped = ""

    def take(self, loss: float, error: float) -> None:
        """Take in an epoch that has just been done."""
        if not np.isfinite([loss, error]).all():
            self._lose()
            return
        self.epochs, self.stale = self.epochs + 1, self.stale + 1
        if error < self.error:
            self.error, self.weights, self.stale = error, self._forecaster.get_weights(), 0
        if self.error <= self._good_enough:
            self.stopped = "good enough"
        elif self.stale >= self._training.patience:
            self.stopped = "no better any more"
        elif self.epochs >= self._training.epochs:
            self.stopped = "all epochs done"

    def interrupt(self) -> None:
        """Stop at the user's wish, if there is anything to keep."""
        if self.epochs == 0:
            raise KeyboardInterrupt
        self.stopped = "interrupted"
        _log.warning("interrupted after %d epochs; the best so far is kept", self.epochs)

    def _lose(self) -> None:
        rate = self._training.learning_rate
        if self.epochs == 0:
            raise ConfigError(f"learning_rate: expected one with which the loss stays finite, got {rate:g}")
        self.stopped = "the loss was no longer finite"
        _log.warning("%s in epoch %d; a learning_rate below %g may help", self.stopped, self.epochs + 1, rate)


class _Judge:
    """Measures a forecaster's mean absolute error, scaled, on stretches."""

    def __init__(self, forecaster: Forecaster, stretches: Stretches) -> None:
        self._forecaster = forecaster
        self._parts = [
            [tf.constant(each[first : first + EVALUATED]) for each in (stretches.x, stretches.target, stretches.weight)]
            for first in range(0, len(stretches), EVALUATED)
        ]
        self._count = float(stretches.weight.sum(dtype=np.float64))
        self._sum = tf.function(self._sum_of, reduce_retracing=True)

    def error(self) -> float:
        """Return the error with the forecaster's present weights."""
        return sum(float(self._sum(*part)) for part in self._parts) / self._count

    def _sum_of(self, x: Any, target: Any, weight: Any) -> Any:
        return ops.sum(ops.absolute(self._forecaster(x) - target) * weight)


class _Trainer:
    """Runs a forecaster through all stretches in random order, batch after batch."""

    def __init__(self, forecaster: Forecaster, stretches: Stretches, training: TrainingSpec) -> None:
        self._forecaster = forecaster
        self._arrays = [tf.constant(each) for each in (stretches.x, stretches.target, stretches.weight)]
        self._batch = min(training.batch_size, max(1, len(stretches) // LEAST_STEPS))
        self._optimizer = keras.optimizers.Adam(training.learning_rate, global_clipnorm=training.clip_norm)
        self._optimizer.build(forecaster.trainable_variables)
        self._random = np.random.default_rng(training.seed)
        self._step = tf.function(self._train)

    def run_epoch(self) -> float:
        """Train on every stretch once and return the mean loss."""
        count = len(self._arrays[0])
        batches = -(-count // self._batch)
        order = np.resize(self._random.permutation(count), (batches, self._batch))
        return float(np.mean([self._step(tf.constant(rows)).numpy() for rows in order]))

    def slow_down(self) -> None:
        """Take smaller steps from here on."""
        self._optimizer.learning_rate = float(self._optimizer.learning_rate) * SLOWER

    def _train(self, rows: Any) -> Any:
        x, target, weight = (tf.gather(each, rows) for each in self._arrays)
        weights = self._forecaster.trainable_variables
        with tf.GradientTape() as tape:
            error = ops.absolute(self._forecaster(x, training=True) - target)
            bent = ops.where(error < KNEE, error * error / (2 * KNEE), error - KNEE / 2)
            loss = ops.sum(bent * weight) / ops.maximum(ops.sum(weight), 1.0)
        self._optimizer.apply(tape.gradient(loss, weights), weights)
        return loss
