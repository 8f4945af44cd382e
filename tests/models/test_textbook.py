"""What textbooks say of perceptrons and back-propagation, step by step through the project's own layers."""

from itertools import product

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from models.forecaster import Forecaster
from models.spec import ForecasterSpec, TrainingSpec
from models.training.fitting import Fitted, _Trainer, fit
from models.training.losses import Loss
from models.training.sequences import Stretches

INPUTS = [0.05, 0.10]
TARGETS = [0.01, 0.99]


def logistic_network() -> Forecaster:
    """Return two inputs, two logistic hidden units and two logistic outputs, with the weights of the example."""
    spec = ForecasterSpec(
        family="mlp", units=2, lookback=1, activation="sigmoid", calendar=False, skip=False, output="sigmoid"
    )
    forecaster = Forecaster(spec, 2)
    hidden, output = np.array([[0.15, 0.25], [0.20, 0.30]]), np.array([[0.40, 0.50], [0.45, 0.55]])
    forecaster.set_weights([hidden, np.full(2, 0.35), output, np.full(2, 0.60)])
    return forecaster


def example() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x (1, 1, 2) and target (1, 1, 1, 2)."""
    return np.array([[INPUTS]], np.float32), np.array([[[TARGETS]]], np.float32)


def test_the_example_s_forward_pass() -> None:
    forecaster, (x, _) = logistic_network(), example()
    hidden_weights, hidden_bias = forecaster.get_weights()[:2]
    assert (np.array(INPUTS) @ hidden_weights + hidden_bias)[0] == pytest.approx(0.3775)
    assert float(forecaster.body(x)[0, 0, 0]) == pytest.approx(0.5933, abs=5e-5)
    np.testing.assert_allclose(forecaster(x)[0][0, 0, 0], [0.7514, 0.7729], atol=5e-5)


def test_the_example_s_error_is_half_the_sum_of_squares() -> None:
    forecaster, (x, target) = logistic_network(), example()
    forecast, _ = forecaster(x)
    np.testing.assert_allclose(0.5 * np.square(target - forecast)[0, 0, 0], [0.2748, 0.0236], atol=5e-5)
    loss = Loss(forecaster.spec, TrainingSpec(loss="mse"))  # the mean over two outputs is half their sum
    assert float(loss.mean(loss.total(target, (forecast, None), np.ones_like(target)), 2.0)) == pytest.approx(
        0.2984, abs=5e-5
    )


def test_the_example_s_gradient() -> None:
    forecaster, (x, target) = logistic_network(), example()
    loss, output = Loss(forecaster.spec, TrainingSpec(loss="mse")), forecaster.trainable_variables[2]
    with tf.GradientTape() as tape:
        error = loss.mean(loss.total(target, forecaster(x), np.ones_like(target)), 2.0)
    assert tape.gradient(error, output.value)[0, 0].numpy() == pytest.approx(0.08217, abs=5e-6)


def test_the_example_s_first_step() -> None:
    forecaster, (x, target) = logistic_network(), example()
    training = TrainingSpec(loss="mse", optimizer="sgd", learning_rate=0.1)
    stretches = Stretches(x, x, target, np.ones_like(target))
    error = _Trainer(forecaster, stretches, Loss(forecaster.spec, training), training).run_epoch()
    assert error == pytest.approx(0.2984, abs=5e-5)
    assert forecaster.get_weights()[2][0, 0] == pytest.approx(0.3918, abs=5e-5)


def learn(family: str, truth: list[int], count: int, **network: object) -> Fitted:
    """Learn a logical function of so many inputs, given as truth for 00, 01, 10, 11 and so on.

    Every channel of the forecast is the answer; inputs come as -1 and 1.
    """
    rows = np.array(list(product((-1.0, 1.0), repeat=count)), np.float32)[:, None]
    target = np.broadcast_to(np.array(truth, np.float32)[:, None, None, None], (len(truth), 1, 1, count)).copy()
    stretches = Stretches(rows, rows, target, np.ones_like(target))
    spec = ForecasterSpec(family=family, lookback=1, calendar=False, output="sigmoid", **network)  # type: ignore[arg-type]
    training = TrainingSpec(epochs=150, learning_rate=0.1, patience=150, target_error=0.05, batch_size=64)
    return fit(stretches, stretches, spec, training)


def answers(fitted: Fitted, count: int) -> list[int]:
    rows = np.array(list(product((-1.0, 1.0), repeat=count)), np.float32)[:, None]
    return np.round(fitted.forecaster(rows)[0][:, 0, 0, 0]).astype(int).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("function", [all, any])
def test_a_perceptron_learns_and_and_or_of_any_number_of_inputs(function: type, count: int) -> None:
    truth = [int(function(row)) for row in product((0, 1), repeat=count)]
    fitted = learn("perceptron", truth, count)
    assert answers(fitted, count) == truth
    assert fitted.stopped == "good enough"


XOR = [0, 1, 1, 0]


def test_a_perceptron_cannot_learn_exclusive_or() -> None:
    fitted = learn("perceptron", XOR, 2)
    assert fitted.error > 0.4
    assert answers(fitted, 2) != XOR


def test_one_hidden_layer_learns_exclusive_or() -> None:
    fitted = learn("mlp", XOR, 2, units=4)
    assert answers(fitted, 2) == XOR
    assert fitted.stopped == "good enough"
