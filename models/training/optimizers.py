"""Optimizers: how weights follow the gradient, and how the learning rate falls. All are Keras' own."""

from typing import Any

import keras

from models.spec import TrainingSpec

SLOWER = 0.3  #: what the learning rate of a plateau is multiplied by when half the patience is used up


def open_optimizer(training: TrainingSpec, steps: int) -> Any:
    """Return the Keras optimizer of a training with so many steps an epoch."""
    rate, clip = _rate(training, steps), training.clip_norm
    if training.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=training.momentum, nesterov=training.nesterov, global_clipnorm=clip)
    if training.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate, momentum=training.momentum, global_clipnorm=clip)
    return keras.optimizers.Adam(rate, global_clipnorm=clip)


def _rate(training: TrainingSpec, steps: int) -> Any:
    """Return the learning rate or its schedule; on a plateau it is the training that slows down."""
    if training.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(training.learning_rate, steps * training.epochs)
    if training.schedule == "exponential":
        return keras.optimizers.schedules.ExponentialDecay(training.learning_rate, steps, training.decay)
    return training.learning_rate
