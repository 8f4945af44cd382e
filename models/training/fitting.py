"""Fitting: a forecaster runs through its stretches and learns to forecast each next slot."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from edge.errors import ConfigError
from models.families import FAMILIES
from models.families.window import some_slots
from models.forecaster import Forecaster
from models.spec import ForecasterSpec, TrainingSpec
from models.training.least_squares import fit_ridge
from models.training.losses import Loss
from models.training.optimizers import SLOWER, open_optimizer
from models.training.progress import Progress
from models.training.sequences import Stretches

UNEARNED = "no better than the simpler forecast"
LEAST_STEPS = 8  #: steps an epoch: where stretches are few, batches are small
EVALUATED = 512  #: stretches forecast at a time

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Epoch:
    """How training stood at the end of an epoch."""

    number: int  #: from 1
    loss: float  #: mean over the batches, as it was learnt from
    error: float  #: mean absolute error on what was held out, scaled


@dataclass(frozen=True, slots=True)
class Fitted:
    """A forecaster with the weights of its best epoch."""

    forecaster: Forecaster
    epochs: int
    error: float  #: mean absolute error on what was held out, scaled
    stopped: str  #: why there were no more epochs; UNEARNED if what is simpler is used without the network


def fit(
    learnt: Stretches,
    held_out: Stretches,
    spec: ForecasterSpec,
    training: TrainingSpec,
    *,
    progress: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Fitted:
    """Train a new forecaster and return it as it was when it was best on what was held out.

    Best is the least mean absolute error, or the least loss where that says more (likelihood, cross-entropy).
    The last value is kept unless what is linear is better, and that unless the network is: an error has to be less by
    more than its standard error (Breiman et al. 1984), taken as one part in the root of the slots held out.

    It stops after `patience` epochs that are no better, after `epochs`, at `target_error`, when the loss is no
    longer finite (ConfigError if nothing had been learnt), or when it is interrupted after the first epoch. The
    same arguments give the same weights on the same machine. `on_epoch` is told of each epoch; what it raises
    ends the training. A family that is not fitted by gradient has no epochs.
    """
    keras.utils.set_random_seed(training.seed)
    forecaster = Forecaster(spec, learnt.target.shape[-1])
    judge = _Judge(forecaster, held_out, Loss(spec, training))
    if FAMILIES[spec.family].fitted != "gradient":
        return _without_gradient(forecaster, learnt, judge)
    if forecaster.linear:
        _solve(forecaster, forecaster.linear.features, forecaster.linear.solved, learnt, judge)
    trainer = _Trainer(forecaster, learnt, Loss(spec, training), training)
    simpler, weights = judge.judge(), forecaster.get_weights()
    best = _Best(forecaster, simpler, training)
    with Progress(training.epochs, shown=progress) as shown:
        try:
            while not best.stopped:
                loss, judged = trainer.run_epoch(), judge.judge()
                best.take(loss, judged, trainer.learning_rate)
                shown.advance(loss, judged.error)
                if on_epoch is not None:
                    on_epoch(Epoch(best.epochs, loss, judged.error))
                if training.schedule == "plateau" and best.stale == (training.patience + 1) // 2:
                    trainer.slow_down()
        except KeyboardInterrupt:
            best.interrupt()
    if not judge.prefers(best.judged, simpler):
        forecaster.set_weights(weights)
        return Fitted(forecaster, best.epochs, simpler.error, UNEARNED)
    forecaster.set_weights(best.weights)
    return Fitted(forecaster, best.epochs, best.judged.error, best.stopped)


def last_value_error(stretches: Stretches) -> float:
    """Return the mean absolute error, scaled, of the forecast that nothing changes."""
    error = np.abs(stretches.last[:, :, None] - stretches.target) * stretches.weight
    return float(error.sum(dtype=np.float64) / stretches.weight.sum(dtype=np.float64))


def _without_gradient(forecaster: Forecaster, learnt: Stretches, judge: "_Judge") -> Fitted:
    """Return a forecaster of a family that is solved for, learns in service, or has nothing to learn."""
    if FAMILIES[forecaster.spec.family].fitted == "closed form":
        error = _solve(forecaster, forecaster.body, forecaster.head.forecast, learnt, judge)
        return Fitted(forecaster, 0, error, "solved")
    return Fitted(forecaster, 0, judge.judge().error, "nothing to fit")


def _solve(
    forecaster: Forecaster,
    features: Callable[[Any], Any],
    layer: keras.layers.Dense,
    learnt: Stretches,
    judge: "_Judge",
) -> float:
    return fit_ridge(forecaster, features, layer, learnt, lambda: judge.judge().error, judge.standard_error)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a forecaster is worth on what was held out."""

    error: float  #: mean absolute error, scaled
    measure: float  #: what the best weights have least of


class _Best:
    """Keeps the best epoch's weights and knows when there should be no further epoch."""

    def __init__(self, forecaster: Forecaster, judged: _Judged, training: TrainingSpec) -> None:
        self._forecaster, self._training = forecaster, training
        self.judged, self.weights = judged, forecaster.get_weights()
        self.epochs = self.stale = 0
        self.stopped = ""
        self._learnt = False

    def take(self, loss: float, judged: _Judged, learning_rate: float) -> None:
        """Take in an epoch that has just been done."""
        if not np.isfinite([loss, judged.error, judged.measure]).all():
            self._lose(learning_rate)
            return
        self.epochs, self.stale = self.epochs + 1, self.stale + 1
        if judged.measure < self.judged.measure:
            self.judged, self.weights, self.stale = judged, self._forecaster.get_weights(), 0
            self._learnt = True
        if self.judged.error <= self._training.target_error > 0:
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

    def _lose(self, rate: float) -> None:
        epoch = self.epochs + 1
        if not self._learnt:
            raise ConfigError(
                f"learning_rate: expected one with which the loss stays finite, got {rate:g}, with which it was not "
                f"in epoch {epoch}"
            )
        self.stopped = "the loss was no longer finite"
        _log.warning(
            "%s in epoch %d; the best so far is kept; a learning_rate below %g may help", self.stopped, epoch, rate
        )


class _Judge:
    """Measures what a forecaster is worth on stretches."""

    def __init__(self, forecaster: Forecaster, stretches: Stretches, loss: Loss) -> None:
        self._forecaster, self._loss = forecaster, loss
        self._parts = [
            [tf.constant(each[first : first + EVALUATED]) for each in (stretches.x, stretches.target, stretches.weight)]
            for first in range(0, len(stretches), EVALUATED)
        ]
        slots = int(np.count_nonzero(stretches.weight.any(axis=(2, 3))))
        self.standard_error = 1 / math.sqrt(slots)  #: share of an error
        self._count = float(stretches.weight.sum(dtype=np.float64))
        self._sums = tf.function(self._sums_of, reduce_retracing=True)

    def judge(self) -> _Judged:
        """Return what the forecaster is worth with its present weights."""
        sums = np.array([self._sums(*part).numpy() for part in self._parts], np.float64)
        error, loss = (float(each) for each in sums.sum(axis=0) / self._count)
        return _Judged(error, loss if self._loss.judges else error)

    def prefers(self, judged: _Judged, simpler: _Judged) -> bool:
        """Tell whether what was judged is better than what is simpler: an error by more than its standard error."""
        if self._loss.judges:
            return judged.measure < simpler.measure
        return judged.error < (1 - self.standard_error) * simpler.error

    def _sums_of(self, x: Any, target: Any, weight: Any) -> Any:
        outlook = self._forecaster(x)
        error = ops.sum(ops.absolute(outlook[0] - target) * weight)
        return ops.stack([error, self._loss.total(target, outlook, weight)])


class _Trainer:
    """Runs a forecaster through all stretches in random order, batch after batch."""

    def __init__(self, forecaster: Forecaster, stretches: Stretches, loss: Loss, training: TrainingSpec) -> None:
        self._forecaster, self._loss = forecaster, loss
        self._arrays = [tf.constant(each) for each in (stretches.x, stretches.target, stretches.weight)]
        self._batch = min(training.batch_size, max(1, len(stretches) // LEAST_STEPS))
        self._steps = -(-len(stretches) // self._batch)
        self._penalty = keras.regularizers.L1L2(training.l1, training.l2)
        self._kernels = [each for each in forecaster.trainable_variables if each.name.endswith("kernel")]
        self._optimizer = open_optimizer(training, self._steps)
        self._optimizer.build(forecaster.trainable_variables)
        self._random = np.random.default_rng(training.seed)
        self._samples = FAMILIES[forecaster.spec.family].samples
        self._step = tf.function(self._train)

    @property
    def learning_rate(self) -> float:
        """Return the present learning rate."""
        return float(self._optimizer.learning_rate)

    def run_epoch(self) -> float:
        """Train on every stretch once and return the mean loss."""
        order = np.resize(self._random.permutation(len(self._arrays[0])), (self._steps, self._batch))
        return float(np.mean([self._step(tf.constant(rows), self._slots()).numpy() for rows in order]))

    def slow_down(self) -> None:
        """Take smaller steps from here on."""
        self._optimizer.learning_rate = self.learning_rate * SLOWER

    def _slots(self) -> Any:
        """Return the slots (n,) that are targets this time, if not all of them are."""
        length, lookback = self._arrays[0].shape[1], self._forecaster.spec.lookback
        return tf.constant(some_slots(length, lookback, self._random)) if self._samples else None

    def _train(self, rows: Any, at: Any) -> Any:
        x, target, weight = (tf.gather(each, rows) for each in self._arrays)
        if at is not None:
            target, weight = tf.gather(target, at, axis=1), tf.gather(weight, at, axis=1)
        weights = self._forecaster.trainable_variables
        with tf.GradientTape() as tape:
            total = self._loss.total(target, self._forecaster(x, at, training=True), weight)
            loss = self._loss.mean(total, ops.sum(weight)) + sum(map(self._penalty, self._kernels))
        self._optimizer.apply(tape.gradient(loss, weights), weights)
        return loss
