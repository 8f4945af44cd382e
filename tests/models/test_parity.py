import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import BundleError
from edge.runtimes import Step
from edge.runtimes.onnx import OnnxRuntime
from models.export import export_onnx
from models.forecaster import Forecaster
from models.parity import TOLERANCE, parity_error
from models.runtime import KerasRuntime
from models.spec import ForecasterSpec


class Astray:
    """A runtime whose forecast is off by a little."""

    def __init__(self, forecaster: Forecaster, by: float) -> None:
        self._right, self._by = KerasRuntime(forecaster), np.float32(by)

    def step(self, x: NDArray[np.float32], memory: NDArray[np.float32]) -> Step:
        forecast, width, after = self._right.step(x, memory)
        return forecast + self._by, width, after


def test_large_weights_that_cancel_each_other_are_no_fault_of_the_export() -> None:
    forecaster = Forecaster(ForecasterSpec(family="ar", lookback=24), 1)
    weights = forecaster.get_weights()
    weights[0][:, 0] = np.random.default_rng(0).normal(0, 30, len(weights[0]))
    forecaster.set_weights(weights)
    assert parity_error(forecaster, OnnxRuntime(export_onnx(forecaster)), "step.onnx") <= TOLERANCE


def test_a_forecast_that_is_off_is_refused() -> None:
    forecaster = Forecaster(ForecasterSpec(family="last"), 1)
    assert parity_error(forecaster, Astray(forecaster, 1e-6), "step.onnx") == pytest.approx(6e-7, rel=0.3)
    with pytest.raises(BundleError, match=r"step\.onnx: expected forecasts and widths within 1e-05"):
        parity_error(forecaster, Astray(forecaster, 3e-5), "step.onnx")
