"""The linear forecast beneath a network."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.autoregression import Autoregression
from models.data.recordings import Recording
from models.forecaster import Forecaster
from models.runtime import KerasRuntime
from models.spec import ForecasterSpec, TrainingSpec
from models.training.fitting import fit
from models.training.preparation import Prepared, prepare

SPEC = ForecasterSpec(family="mlp", units=4, lookback=4, calendar=False, order=2)
BRIEF = TrainingSpec(epochs=3, stretch=32)
A, B = np.array([[0.5, 0.3], [-0.2, 0.6]]), np.array([[0.2, 0.0], [0.1, -0.3]])


def prepared(spec: ForecasterSpec) -> Prepared:
    """Return a vector autoregression of order 2, y'' = y' A + y B + noise, without a mean."""
    values = np.random.default_rng(0).normal(0, 1, (6000, 2))
    for slot in range(2, len(values)):
        values[slot] += values[slot - 1] @ A + values[slot - 2] @ B
    return prepare([Recording("a", ("p", "q"), 600_000, 2_833_488, values)], spec, BRIEF)


def kernel_of(linear: Autoregression | None) -> NDArray[np.float32]:
    assert linear is not None
    kernel: NDArray[np.float32] = linear.solved.get_weights()[0]
    return kernel


@pytest.mark.parametrize("order", [1, 3, 4])
@pytest.mark.parametrize("horizon", [1, 2])
def test_a_sequence_gives_what_its_steps_give(order: int, horizon: int) -> None:
    spec, random = replace(SPEC, calendar=True, order=order, horizon=horizon), np.random.default_rng(0)
    forecaster = Forecaster(spec, 2)
    forecaster.set_weights([random.normal(0, 0.4, each.shape) for each in forecaster.get_weights()])
    assert forecaster.memory_size == (order - 1) * 2 + (4 - 1) * 6
    x, runtime = random.normal(size=(3, 10, 6)).astype(np.float32), KerasRuntime(forecaster)
    whole, memory = forecaster(x)[0].numpy(), np.zeros((3, forecaster.memory_size), np.float32)
    for slot in range(10):
        forecast, _, memory = runtime.step(x[:, slot], memory)
        np.testing.assert_allclose(forecast, whole[:, slot], atol=1e-5)


def test_it_is_linear_in_the_values_of_the_last_slots_and_blind_to_the_calendar() -> None:
    linear = Autoregression(replace(SPEC, calendar=True), 2)
    x = np.arange(18, dtype=np.float32).reshape(1, 3, 6)
    np.testing.assert_array_equal(linear.features(x)[0], [[0, 0, 0, 1], [0, 1, 6, 7], [6, 7, 12, 13]])
    linear(x)
    linear.solved.set_weights([np.array([[1, 0], [0, 1], [10, 0], [0, 10]]), np.array([0.5, 0])])
    np.testing.assert_array_equal(linear(x)[0, :, 0], [[0.5, 10], [60.5, 71], [126.5, 137]])


def test_one_that_is_not_solved_for_adds_nothing() -> None:
    x = np.random.default_rng(0).normal(size=(2, 6, 2)).astype(np.float32)
    forecaster = Forecaster(SPEC, 2)
    np.testing.assert_array_equal(forecaster(x)[0][:, :, 0], x)
    assert forecaster.linear is not None
    assert not forecaster.linear.is_solved


@pytest.mark.parametrize("skip", [True, False])
def test_the_matrices_of_an_autoregression_are_found_and_stay_while_the_network_is_trained(skip: bool) -> None:
    spec = replace(SPEC, skip=skip)
    data = prepared(spec)
    brief, longer = (
        fit(data.learnt, data.held_out, spec, replace(BRIEF, epochs=each)).forecaster.linear for each in (1, 3)
    )
    kernel = kernel_of(longer)
    found = kernel.reshape(2, 2, 2)  # lag (oldest first), input, channel
    np.testing.assert_allclose(found[1], A - np.eye(2) if skip else A, atol=0.06)
    np.testing.assert_allclose(found[0], B, atol=0.06)
    np.testing.assert_array_equal(kernel, kernel_of(brief))
    assert longer.is_solved  # type: ignore[union-attr]


def test_what_is_solved_for_is_not_trained() -> None:
    forecaster = Forecaster(SPEC, 2)
    bare = Forecaster(replace(SPEC, order=0), 2)
    assert forecaster.linear is not None
    assert bare.linear is None
    assert len(forecaster.trainable_variables) == len(bare.trainable_variables)
    assert len(forecaster.weights) == len(bare.weights) + 2
