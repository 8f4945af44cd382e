"""The marks of the chart's axes, as the page itself works them out."""

import pytest

from tests.service.dashboard.conftest import View


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0.3, 9.7, ["2", "4", "6", "8"]),
        (46.2, 58.9, ["48", "50", "52", "54", "56", "58"]),
        (-0.031, 0.052, ["-0.02", "0.00", "0.02", "0.04"]),
        (2.9e6, 9.1e6, ["4.0e+6", "6.0e+6", "8.0e+6"]),
    ],
)
def test_the_marks_of_values_are_round(view: View, low: float, high: float, marks: list[str]) -> None:
    page = view.open("bundles")
    script = "async ([low, high]) => (await import('/assets/ticks.js')).numbers(low, high, 4).map((each) => each.text)"
    assert page.evaluate(script, [low, high]) == marks


def test_the_marks_of_times_are_whole_hours_of_the_viewer(view: View) -> None:
    page = view.open("bundles")
    script = """async () => (await import('/assets/ticks.js'))
        .times(Date.parse("2026-01-05T10:20:00Z"), Date.parse("2026-01-05T14:20:00Z"), 5).map((each) => each.text)"""
    assert page.evaluate(script) == ["12:00", "13:00", "14:00", "15:00"]
