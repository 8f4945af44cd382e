import numpy as np
import pytest

from models.data.recordings import Recording
from models.forecaster import Forecaster
from models.spec import ForecasterSpec, TrainingSpec
from models.training.fitting import fit, last_value_error
from models.training.least_squares import fit_ridge
from models.training.sequences import Cutter, Stretches, input_range, split

SPEC = ForecasterSpec(family="ar", lookback=3, calendar=False, skip=False, horizon=2)
TRAINING = TrainingSpec(stretch=32)
A = np.array([[0.5, 0.3], [-0.2, 0.6]])


def halves() -> tuple[Stretches, Stretches]:
    """Return stretches of a vector autoregression of order 1, y' = y A + noise, whose channels vary alike."""
    random = np.random.default_rng(0)
    values = random.normal(0, 1, (4000, 2))
    for slot in range(1, len(values)):
        values[slot] += values[slot - 1] @ A
    splits = [split(Recording("a", ("p", "q"), 600_000, 2_833_488, values), SPEC, TRAINING)]
    cutter = Cutter(SPEC, *input_range(splits), "UTC")
    return cutter.learnt(splits, 32), cutter.held_out(splits, 32)


def test_the_matrix_of_an_autoregression_is_found() -> None:
    learnt, held_out = halves()
    fitted = fit(learnt, held_out, SPEC, TRAINING)
    kernel = fitted.forecaster.get_weights()[0].reshape(3, 2, 2, 2)  # lag (oldest first), input, slot ahead, channel
    np.testing.assert_allclose(kernel[2, :, 0], A, atol=0.08)
    np.testing.assert_allclose(kernel[2, :, 1], A @ A, atol=0.08)
    np.testing.assert_allclose(kernel[:2], 0, atol=0.08)
    assert fitted.error < 0.95 * last_value_error(held_out)
    assert (fitted.epochs, fitted.stopped) == (0, "solved")


def test_the_ridge_with_the_least_error_is_kept() -> None:
    learnt, _ = halves()
    forecaster, errors = Forecaster(SPEC, 2), iter([9.0, 7.0, 6.0, 3.0, 5.0, 8.0, 9.0])
    seen: list[np.ndarray] = []

    def error() -> float:
        seen.append(forecaster.get_weights()[0])
        return next(errors)

    assert fit_ridge(forecaster, forecaster.body, forecaster.head.forecast, learnt, error, 0.1) == 3.0
    np.testing.assert_array_equal(forecaster.get_weights()[0], seen[3])
    assert not seen[0].any()
    norms = [np.linalg.norm(each) for each in seen[1:]]
    assert norms == sorted(norms, reverse=True)


@pytest.mark.parametrize(("standard_error", "expected"), [(0.3, 5.0), (0.5, 9.0)])
def test_the_weights_stay_zero_unless_the_error_is_less_by_more_than_its_standard_error(
    standard_error: float, expected: float
) -> None:
    learnt, _ = halves()
    forecaster, errors = Forecaster(SPEC, 2), iter([9.0, 7.0, 6.0, 5.0, 5.0, 8.0, 9.0])
    solved = fit_ridge(
        forecaster, forecaster.body, forecaster.head.forecast, learnt, lambda: next(errors), standard_error
    )
    assert solved == expected
    assert forecaster.get_weights()[0].any() == (expected < 9)


def test_what_has_no_weight_is_not_learnt() -> None:
    learnt, held_out = halves()
    spoilt = Stretches(learnt.x, learnt.last, np.where(learnt.weight > 0, learnt.target, 1e6), learnt.weight)
    assert fit(spoilt, held_out, SPEC, TRAINING).error == pytest.approx(fit(learnt, held_out, SPEC, TRAINING).error)
