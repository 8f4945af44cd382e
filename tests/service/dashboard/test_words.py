"""How the pages write numbers, as they themselves do it."""

import pytest

from tests.service.dashboard.conftest import View


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([37.98123, 38.18, 35.04, 41.32], ["37.98", "38.18", "35.04", "41.32"]),
        ([101_340.4, 101_325.0, 101_300.0, 101_350.0], ["101340", "101325", "101300", "101350"]),
        ([21.5, None, None, None], ["21.5", *["\N{EN DASH}"] * 3]),
        ([101_325.0, 101_325.0], ["101325", "101325"]),
        ([0.0, 1e-9, -1e-9, 2e-9], ["0", "1.000e-9", "-1.000e-9", "2.000e-9"]),
        ([50_000_010.0, 50_000_000.0], ["5.00000100e+7", "5.00000000e+7"]),
    ],
)
def test_a_value_is_told_from_those_beside_it(view: View, values: list[float | None], written: list[str]) -> None:
    page = view.open("bundles")
    script = "async (values) => values.map((await import('/assets/words.js')).among(...values))"
    assert page.evaluate(script, values) == written
