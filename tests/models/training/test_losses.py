import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from edge.errors import ConfigError
from models.spec import LOSSES, ForecasterSpec, TrainingSpec, loss_of, read_settings
from models.training.losses import Loss, gaussian, student_t

POINT = ForecasterSpec(family="mlp")
SIGMOID = ForecasterSpec(family="mlp", output="sigmoid")
SOFTMAX = ForecasterSpec(family="mlp", output="softmax")


def loss(name: str, target: list[float], forecast: list[float], spec: ForecasterSpec = POINT) -> float:
    """Return the loss of one slot with as many channels as there are numbers."""
    made = Loss(spec, TrainingSpec(loss=name))
    numbers = [ops.convert_to_tensor([[each]], "float32") for each in (target, forecast, [1.0] * len(target))]
    total = made.total(numbers[0], (numbers[1], None), numbers[2])
    return float(made.mean(total, ops.sum(numbers[2])))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", (0.01 + 1) / 2),
        ("rmse", ((0.01 + 1) / 2) ** 0.5),
        ("mae", 1.1 / 2),
        ("huber", (0.1**2 / 0.6 + 1 - 0.15) / 2),
    ],
)
def test_a_loss_of_errors_is_that_of_the_books(name: str, expected: float) -> None:
    assert loss(name, [0.1, 0.0], [0.0, 1.0]) == pytest.approx(expected, rel=1e-5)


def test_the_cross_entropy_is_that_of_what_came() -> None:
    both = -(np.log(0.8) + np.log(0.7)) / 2
    assert loss("cross_entropy", [1.0, 0.0], [0.8, 0.3], SIGMOID) == pytest.approx(both, rel=1e-4)
    assert loss("cross_entropy", [0.0, 1.0, 0.0], [0.2, 0.7, 0.1], SOFTMAX) == pytest.approx(-np.log(0.7), rel=1e-4)


def test_the_likelihoods_are_those_of_the_books() -> None:
    numbers = [ops.convert_to_tensor(each, "float32") for each in (1.0, 0.0, 2.0)]
    assert float(gaussian(*numbers)) == pytest.approx(np.log(2) + 1 / 8 + np.log(2 * np.pi) / 2)
    assert float(student_t(*numbers)) == pytest.approx(np.log(2) + 2.5 * np.log(1 + 0.25 / 4))


@pytest.mark.parametrize("density", [gaussian, student_t])
def test_a_likelihood_is_best_where_the_width_is_that_of_the_errors(density: object) -> None:
    random = np.random.default_rng(0)
    errors = random.normal(0, 2, 20_000) if density is gaussian else 2 * random.standard_t(4, 20_000)
    widths = np.arange(1.0, 4.0, 0.1, dtype=np.float32)
    mean = [float(ops.mean(density(errors.astype(np.float32), 0.0, width))) for width in widths]  # type: ignore[operator]
    assert widths[int(np.argmin(mean))] == pytest.approx(2, abs=0.11)


def test_the_slope_of_a_root_is_finite_where_there_is_no_error() -> None:
    made, forecast = Loss(POINT, TrainingSpec(loss="rmse")), tf.Variable([[[0.0]]])
    with tf.GradientTape() as tape:
        value = made.mean(made.total(tf.zeros((1, 1, 1)), (forecast, None), tf.ones((1, 1, 1))), 1.0)
    assert np.isfinite(tape.gradient(value, forecast).numpy()).all()


@pytest.mark.parametrize(
    ("head", "output", "fits"),
    [
        ("point", "linear", ["huber", "mse", "rmse", "mae"]),
        ("gaussian", "linear", ["likelihood"]),
        ("student_t", "linear", ["likelihood"]),
        ("point", "sigmoid", ["cross_entropy", "huber", "mse", "rmse", "mae"]),
        ("point", "softmax", ["cross_entropy", "huber", "mse", "rmse", "mae"]),
    ],
)
def test_a_loss_suits_its_head_and_the_first_one_is_the_default(head: str, output: str, fits: list[str]) -> None:
    spec = ForecasterSpec(family="mlp", head=head, output=output)
    assert loss_of(spec, TrainingSpec()) == fits[0]
    for name in LOSSES:
        if name in fits:
            assert loss_of(spec, TrainingSpec(loss=name)) == name
        else:
            with pytest.raises(ConfigError, match=f"loss: expected {fits[0]}.* for a {head} head .*got {name}"):
                loss_of(spec, TrainingSpec(loss=name))


def test_settings_that_do_not_suit_each_other_are_told_as_they_are_read() -> None:
    with pytest.raises(ConfigError, match="loss: expected huber or mse or rmse or mae for a point head"):
        read_settings({"loss": "likelihood"})
    with pytest.raises(ConfigError, match="output: expected linear with a gaussian head, got sigmoid"):
        read_settings({"head": "gaussian", "output": "sigmoid"})
