import pytest

from edge.duration import parse_duration
from edge.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("10s", 10_000),
        ("5min", 300_000),
        ("1h", 3_600_000),
        ("250ms", 250),
        ("2 d", 172_800_000),
        ("2y", 63_072_000_000),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("text", ["10", "s", "0s", "-5s", "1.5h", "1 fortnight", ""])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a duration such as '10s'"):
        parse_duration(text)
