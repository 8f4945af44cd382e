"""What each family computes, against its textbook's equations written out in NumPy."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.families import FAMILIES, open_family
from models.families.adaline import RATE
from models.families.indrnn import IndRNNCell
from models.families.jordan import DECAY
from models.forecaster import Forecaster
from models.spec import ForecasterSpec

Array = NDArray[np.float64]
CHANNELS, UNITS = 2, 3


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def spec_of(family: str, **fields: Any) -> ForecasterSpec:
    return ForecasterSpec(family=family, calendar=False, order=0, **fields)


class Run:
    """A body with fixed weights, and the features (T, U) it gives to a fixed sequence, step by step."""

    def __init__(self, spec: ForecasterSpec, slots: int = 12) -> None:
        random = np.random.default_rng(0)
        self.forecaster = Forecaster(spec, CHANNELS)
        body: Any = self.forecaster.body
        self.body = body
        self.body.set_weights([random.normal(0, 0.5, each.shape) for each in self.body.get_weights()])
        self.weights = {each.path.split("/", 2)[-1]: each.numpy().astype(np.float64) for each in self.body.weights}
        self.x = random.normal(size=(slots, CHANNELS))
        self.features = np.array(list(self._steps()))

    def _steps(self) -> Iterator[Array]:
        memory = np.zeros((1, self.forecaster.memory_size), np.float32)
        for x in self.x.astype(np.float32):
            features, memory = self.body.step(x[None], memory)
            yield np.array(features)[0]

    def weight(self, ending: str) -> Array:
        found: list[Array] = [each for path, each in self.weights.items() if path.endswith(ending)]
        assert len(found) == 1, f"{ending} of {list(self.weights)}"
        return found[0]


def test_an_elman_network_is_fed_its_own_last_state() -> None:
    run = Run(spec_of("elman", units=UNITS))
    h = np.zeros(UNITS)
    for x, features in zip(run.x, run.features, strict=True):
        h = np.tanh(x @ run.weight("/kernel") + h @ run.weight("recurrent_kernel") + run.weight("bias"))
        np.testing.assert_allclose(features, h, atol=1e-5)


def test_an_lstm_forgets_takes_in_and_gives_out_by_its_gates() -> None:
    run = Run(spec_of("lstm", units=UNITS))
    h = c = np.zeros(UNITS)
    for x, features in zip(run.x, run.features, strict=True):
        z = x @ run.weight("/kernel") + h @ run.weight("recurrent_kernel") + run.weight("bias")
        i, f, g, o = np.split(z, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(features, h, atol=1e-5)


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_resets_before_or_after_the_product(reset_after: bool) -> None:
    run = Run(spec_of("gru", units=UNITS, reset_after=reset_after))
    (w_z, w_r, w_h), (u_z, u_r, u_h) = (np.split(run.weight(name), 3, axis=1) for name in ("/kernel", "rent_kernel"))
    bias = run.weight("bias") if reset_after else np.stack([run.weight("bias"), np.zeros(3 * UNITS)])
    (b_z, b_r, b_h), (d_z, d_r, d_h) = (np.split(each, 3) for each in bias)
    h = np.zeros(UNITS)
    for x, features in zip(run.x, run.features, strict=True):
        keep = sigmoid(x @ w_z + b_z + h @ u_z + d_z)  # Keras' update gate is 1 - z of Cho's equation 7
        r = sigmoid(x @ w_r + b_r + h @ u_r + d_r)
        past = r * (h @ u_h + d_h) if reset_after else (r * h) @ u_h
        h = keep * h + (1 - keep) * np.tanh(x @ w_h + b_h + past)
        np.testing.assert_allclose(features, h, atol=1e-5)


def test_a_jordan_network_is_fed_the_fading_sum_of_its_outputs() -> None:
    run = Run(spec_of("jordan", units=UNITS))
    c = np.zeros(UNITS)
    for x, features in zip(run.x, run.features, strict=True):
        hidden = np.tanh(x @ run.weight("input/kernel") + c @ run.weight("context/kernel") + run.weight("input/bias"))
        y = np.tanh(hidden @ run.weight("output/kernel") + run.weight("output/bias"))
        c = DECAY * c + y
        np.testing.assert_allclose(features, y, atol=1e-5)


def test_neurons_of_an_indrnn_see_only_their_own_past() -> None:
    run = Run(spec_of("indrnn", units=UNITS))
    h = np.zeros(UNITS)
    for x, features in zip(run.x, run.features, strict=True):
        h = np.maximum(x @ run.weight("input/kernel") + run.weight("own") * h + run.weight("input/bias"), 0)
        np.testing.assert_allclose(features, h, atol=1e-5)


def test_a_neuron_of_an_indrnn_always_forgets() -> None:
    cell = IndRNNCell(2, "relu", bound=0.9)
    cell.build((None, 1))
    own = next(each for each in cell.weights if each.name == "own")
    np.testing.assert_allclose(own.constraint(np.array([1.5, -0.3])), [0.9, -0.3], rtol=1e-6)


def test_a_perceptron_is_linear_in_its_window() -> None:
    forecaster = Forecaster(spec_of("perceptron", lookback=3, skip=False), CHANNELS)
    random = np.random.default_rng(0)
    kernel, bias = random.normal(size=(3 * CHANNELS, CHANNELS)), random.normal(size=CHANNELS)
    forecaster.set_weights([kernel, bias])
    x = random.normal(size=(1, 5, CHANNELS))
    forecast = forecaster(x)[0].numpy()[0, :, 0]
    np.testing.assert_allclose(forecast[4], x[0, 2:].ravel() @ kernel + bias, atol=1e-5)
    np.testing.assert_allclose(forecast[0], x[0, 0] @ kernel[-CHANNELS:] + bias, atol=1e-5)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("horizon", [1, 2])
def test_adaline_corrects_its_weights_by_the_lms_rule(skip: bool, horizon: int) -> None:
    lookback = 3
    run = Run(spec_of("adaline", lookback=lookback, skip=skip, horizon=horizon), slots=20)
    padded = np.concatenate([np.zeros((lookback - 1, CHANNELS)), run.x])
    window = [np.append(padded[slot : slot + lookback].ravel(), 1.0) for slot in range(20)]
    w = np.zeros((horizon, CHANNELS, lookback * CHANNELS + 1))
    for slot, features in enumerate(run.features):
        for ahead in range(min(horizon, slot)):
            made = slot - 1 - ahead
            error = run.x[slot] - skip * run.x[made] - w[ahead] @ window[made]
            w[ahead] += RATE * np.outer(error, window[made]) / (window[made] @ window[made])
        np.testing.assert_allclose(features, (w @ window[slot] + skip * run.x[slot]).ravel(), atol=1e-5)


@pytest.mark.slow
def test_adaline_learns_a_cycle_while_it_serves() -> None:
    forecaster = Forecaster(spec_of("adaline", lookback=4), 1)
    x = np.sin(np.arange(600) / 3)[None, :, None].astype(np.float32)
    error = np.abs(forecaster(x)[0].numpy()[0, :-1, 0, 0] - x[0, 1:, 0])
    assert error[-50:].mean() < 0.05 * error[:20].mean()


@pytest.mark.parametrize("family", ["tcn", "bilstm", "bigru", "mlp", "perceptron"])
def test_a_window_is_all_that_a_step_has_of_the_past(family: str) -> None:
    sized = {"units": UNITS} if "units" in FAMILIES[family].fields else {}
    run = Run(spec_of(family, lookback=6, **sized), slots=40)
    field = 13 if family == "tcn" else 6  # two blocks of convolutions see 1 + 2 * 2 * (1 + 2) slots
    window = run.body(run.x[None, -field:].astype(np.float32)).numpy()[0, -1]
    np.testing.assert_allclose(run.features[-1], window, atol=1e-5)


@pytest.mark.parametrize(("family", "cell"), [("bilstm", "lstm"), ("bigru", "gru")])
def test_a_bidirectional_network_reads_its_window_both_ways(family: str, cell: str) -> None:
    run = Run(spec_of(family, units=UNITS, lookback=6))
    one = ForecasterSpec(family=cell, calendar=False, units=UNITS, lookback=6)
    weights, window = run.body.get_weights(), run.x[-6:].astype(np.float32)
    for part, sequence in ((0, window), (1, window[::-1])):
        body: Any = open_family(one, CHANNELS)
        body(sequence[None])
        body.set_weights(weights[3 * part : 3 * part + 3])
        features = body(sequence[None]).numpy()[0, -1]
        np.testing.assert_allclose(run.features[-1, part * UNITS : (part + 1) * UNITS], features, atol=1e-5)


def test_baselines_forecast_the_last_value_and_that_of_a_season_ago() -> None:
    x = np.arange(1, 9, dtype=np.float32).reshape(1, 8, 1)
    last = Forecaster(spec_of("last", horizon=2), 1)(x)[0].numpy()
    np.testing.assert_array_equal(last[0, :, :, 0], np.stack([x[0, :, 0]] * 2, axis=1))
    seasonal = Forecaster(spec_of("seasonal", season=3, horizon=4), 1)(x)[0].numpy()
    np.testing.assert_array_equal(seasonal[0, 4, :, 0], [3, 4, 5, 3])
    np.testing.assert_array_equal(seasonal[0, 0, :, 0], [0, 0, 1, 0])


@pytest.mark.parametrize("family", [name for name, each in FAMILIES.items() if "layers" in each.fields])
def test_layers_are_stacked(family: str) -> None:
    one, two = (Forecaster(spec_of(family, units=UNITS, lookback=4, layers=layers), CHANNELS) for layers in (1, 2))
    assert len(two.weights) - 2 == 2 * (len(one.weights) - 2)
    x = np.random.default_rng(0).normal(size=(1, 9, CHANNELS)).astype(np.float32)
    memory, random = np.zeros((1, two.memory_size), np.float32), np.random.default_rng(1)
    two.set_weights([random.normal(0, 0.5, each.shape) for each in two.get_weights()])
    for slot in range(9):
        forecast, _, memory = two.step(x[:, slot], memory)
    np.testing.assert_allclose(forecast, two(x)[0][:, -1], atol=1e-5)


@pytest.mark.parametrize("family", ["tcn", "bilstm", "mlp", "perceptron", "adaline"])
def test_a_lookback_of_one_slot_is_enough(family: str) -> None:
    sized = {"units": UNITS} if "units" in FAMILIES[family].fields else {}
    run = Run(spec_of(family, lookback=1, **sized), slots=5)
    np.testing.assert_allclose(run.features, run.body(run.x[None].astype(np.float32))[0], atol=1e-5)


DROPS = [
    (family, name)
    for family, each in FAMILIES.items()
    for name in ("dropout", "recurrent_dropout")
    if name in each.fields
]


@pytest.mark.parametrize(("family", "name"), DROPS)
def test_dropout_is_for_training_alone(family: str, name: str) -> None:
    forecaster = Forecaster(spec_of(family, units=8, lookback=4, **{name: 0.5}), CHANNELS)
    random = np.random.default_rng(0)
    forecaster.set_weights([random.normal(0, 0.5, each.shape) for each in forecaster.get_weights()])
    x = random.normal(size=(2, 9, CHANNELS)).astype(np.float32)
    served = forecaster(x)[0].numpy()
    np.testing.assert_array_equal(forecaster(x)[0].numpy(), served)
    assert not np.allclose(forecaster(x, training=True)[0].numpy(), served)
