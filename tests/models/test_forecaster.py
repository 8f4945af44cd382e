import numpy as np
import pytest

from models.forecaster import Forecaster
from models.spec import ForecasterSpec


@pytest.mark.parametrize(("skip", "expected"), [(True, [[[0.5, -2.0]] * 2]), (False, [[[0.0, 0.0]] * 2])])
def test_an_untrained_forecaster_expects_the_last_value_or_the_mean(skip: bool, expected: list[list[float]]) -> None:
    forecaster = Forecaster(ForecasterSpec(family="elman", units=3, horizon=2, skip=skip, calendar=False, order=0), 2)
    forecast, *_ = forecaster.step(np.array([[0.5, -2.0]], np.float32), np.zeros((1, 3), np.float32))
    np.testing.assert_array_equal(forecast, expected)


def test_calendar_inputs_widen_x() -> None:
    assert Forecaster(ForecasterSpec(units=3), 2).inputs == 6
    assert Forecaster(ForecasterSpec(units=3, calendar=False), 2).inputs == 2


def test_the_window_of_an_mlp_forgets_what_is_older_than_its_lookback() -> None:
    forecaster = Forecaster(ForecasterSpec(family="mlp", units=3, lookback=3, calendar=False, skip=False), 1)
    forecaster.set_weights([np.ones_like(each) for each in forecaster.get_weights()])
    x = np.array([[[9], [0], [0], [0]]], np.float32)
    forecast = forecaster(x)[0].numpy()[0, :, 0, 0]
    assert forecast[2] > forecast[3] == pytest.approx(1 + 3 * np.tanh(1))
