import numpy as np
import pytest

from edge.scaling import MOST, scaled, so_far, usable_scale
from tests.conftest import records_of


@pytest.mark.parametrize("unit", [1e-90, 1e-12, 1.0, 1e12])
def test_a_channel_that_varies_is_scaled_by_its_deviation_in_any_unit(unit: float) -> None:
    assert usable_scale(np.array([3 * unit]), np.array([1e-6 * unit])) == [1e-6 * unit]


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_one_that_does_not_vary_is_scaled_by_its_value(unit: float) -> None:
    rounding = 1e-12 * unit
    np.testing.assert_allclose(usable_scale(np.array([-7 * unit]), np.array([rounding])), 7 * unit)


def test_one_that_is_always_zero_is_taken_as_it_is() -> None:
    assert usable_scale(np.zeros(1), np.zeros(1)) == [1.0]


def test_the_deviation_so_far_is_in_the_unit_of_the_values() -> None:
    records = records_of()
    records["seen"], records["scale"] = 4, 36.0
    assert so_far(records) == [[3.0]]


def test_a_scaled_value_stays_finite() -> None:
    records = records_of()
    records["scale"] = 1e-100
    assert scaled(np.array([[-1e99]]), records) == [[np.float32(-MOST)]]
