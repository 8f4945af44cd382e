import keras
import numpy as np
import pytest

from edge.errors import ConfigError
from models.spec import TrainingSpec
from models.training.optimizers import open_optimizer

STEPS = 10  # an epoch


def walk(training: TrainingSpec, steps: int) -> list[float]:
    """Return where a weight that begins at 0 is after each step of gradient -1, so upwards."""
    optimizer, weight = open_optimizer(training, STEPS), keras.Variable(0.0)
    places = []
    for _ in range(steps):
        optimizer.apply([keras.ops.convert_to_tensor(-1.0)], [weight])
        places.append(float(weight.numpy()))
    return places


def rate_after(training: TrainingSpec, epochs: int) -> float:
    optimizer, weight = open_optimizer(training, STEPS), keras.Variable(0.0)
    for _ in range(STEPS * epochs):
        optimizer.apply([keras.ops.convert_to_tensor(1.0)], [weight])
    return float(optimizer.learning_rate)


@pytest.mark.parametrize(
    ("momentum", "nesterov", "expected"),
    [
        (0.0, False, [0.1, 0.2, 0.3]),
        (0.5, False, [0.1, 0.25, 0.425]),
        (0.5, True, [0.15, 0.325, 0.5125]),
    ],
)
def test_sgd_steps_as_the_books_say(momentum: float, nesterov: bool, expected: list[float]) -> None:
    training = TrainingSpec(optimizer="sgd", learning_rate=0.1, momentum=momentum, nesterov=nesterov)
    assert walk(training, 3) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_steps_that_are_scaled_do_not_depend_on_the_gradient_s_size(optimizer: str) -> None:
    training = TrainingSpec(optimizer=optimizer, learning_rate=0.01)
    first = walk(training, 1)[0]
    assert 0.009 < first < 0.04
    assert walk(TrainingSpec(optimizer=optimizer, learning_rate=0.01, clip_norm=0.1), 1)[0] == pytest.approx(
        first, rel=1e-3
    )


def test_a_gradient_is_clipped_to_its_norm() -> None:
    assert walk(TrainingSpec(optimizer="sgd", learning_rate=0.1, clip_norm=0.5), 1) == pytest.approx([0.05])


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", 0.1), ("plateau", 0.1), ("exponential", 0.1 * 0.5**4), ("cosine", 0.05)],
)
def test_the_learning_rate_after_four_of_eight_epochs(schedule: str, expected: float) -> None:
    training = TrainingSpec(optimizer="sgd", learning_rate=0.1, schedule=schedule, decay=0.5, epochs=8)
    assert rate_after(training, 4) == pytest.approx(expected, rel=1e-4)


def test_a_cosine_ends_at_nothing() -> None:
    assert rate_after(TrainingSpec(schedule="cosine", epochs=2), 2) == pytest.approx(0, abs=1e-9)


def test_what_would_do_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"momentum: expected 0 with adam, which has its own, got 0\.9"):
        TrainingSpec(momentum=0.9)
    with pytest.raises(ConfigError, match="nesterov: expected sgd with a momentum, got sgd with 0"):
        TrainingSpec(optimizer="sgd", nesterov=True)
    with pytest.raises(ConfigError, match=r"nesterov: expected sgd with a momentum, got rmsprop with 0\.9"):
        TrainingSpec(optimizer="rmsprop", momentum=0.9, nesterov=True)


def test_momentum_carries_rmsprop_further() -> None:
    slow, fast = (walk(TrainingSpec(optimizer="rmsprop", momentum=each), 5)[-1] for each in (0.0, 0.9))
    assert np.isfinite(fast)
    assert fast > 1.5 * slow
