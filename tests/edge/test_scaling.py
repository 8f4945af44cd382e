import numpy as np
import pytest

from edge.scaling import MOST, after_move, scaled, so_far, usable_scale
from tests.conftest import records_of


@pytest.mark.parametrize("unit", [1e-90, 1e-12, 1.0, 1e12])
def test_a_channel_that_varies_is_scaled_by_its_deviation_in_any_unit(unit: float) -> None:
    assert usable_scale(np.array([3 * unit]), np.array([1e-6 * unit])) == [1e-6 * unit]


@pytest.mark.parametrize(("still", "move"), [(0.0, 1e-9), (7.0, 0.5), (-7e12, 5e11), (1e6, 0.2)])
def test_the_first_move_of_one_that_stood_still_is_its_scale(still: float, move: float) -> None:
    location = np.array([still])
    scale = usable_scale(location, np.zeros(1))
    assert after_move(location * (1 + 1e-12), location, scale) == scale  # rounding
    assert after_move(np.array([np.nan]), location, scale) == scale
    moved = after_move(location + move, location, scale)
    np.testing.assert_allclose(moved, move / 2, rtol=1e-6)
    assert after_move(location + 9 * move, location, moved) == moved


def test_the_deviation_so_far_is_in_the_unit_of_the_values() -> None:
    records = records_of()
    records["seen"], records["scale"] = 4, 36.0
    assert so_far(records) == [[3.0]]


def test_a_scaled_value_stays_finite() -> None:
    records = records_of()
    records["scale"] = 1e-100
    assert scaled(np.array([[-1e99]]), records) == [[np.float32(-MOST)]]
