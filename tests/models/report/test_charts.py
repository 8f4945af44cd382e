import warnings

import numpy as np
import pytest

from models.report.charts import forecast
from models.report.stretch import Stretch


@pytest.mark.parametrize("interval_ms", [1000, 60_000, 600_000, 3_600_000, 7 * 86_400_000])
@pytest.mark.parametrize("slots", [1, 30, 240])
def test_the_time_axis_suits_a_stretch_of_any_length(interval_ms: int, slots: int) -> None:
    time, value = 1_700_000_000_000 + np.arange(slots) * interval_ms, np.zeros(slots)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a locator that finds no ticks only warns
        drawn = forecast(Stretch("A", "pump", "flow", "", time, value, value, value - 1, value + 1), "Europe/Rome")
    assert "expected band" in drawn
