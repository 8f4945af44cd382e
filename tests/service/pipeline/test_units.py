import pytest

from edge.errors import ConfigError
from service.pipeline.units import conversion


@pytest.mark.parametrize(
    ("sent", "expected", "value", "converted"),
    [("m3/h", "l/s", 3.6, 1.0), ("degF", "degC", 212.0, 100.0), ("kPa", "bar", 250.0, 2.5), ("degC", "K", 0.0, 273.15)],
)
def test_values_are_converted(sent: str, expected: str, value: float, converted: float) -> None:
    factor, offset = conversion(sent, expected)
    assert factor * value + offset == pytest.approx(converted)


@pytest.mark.parametrize(("sent", "expected"), [("furlong/fortnite", "m/s"), ("bar", "l/s"), ("l/s", ""), ("(", "m")])
def test_a_unit_that_does_not_fit_is_refused(sent: str, expected: str) -> None:
    with pytest.raises(ConfigError, match="unit: expected one that converts to"):
        conversion(sent, expected)
