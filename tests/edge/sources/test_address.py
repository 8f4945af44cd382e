import pytest

from edge.errors import ConfigError
from edge.sources.address import Address


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("stdin", "stdin", ""),
        ("file:/run/readings", "file", "/run/readings"),
        ("serial:/dev/ttyUSB0", "serial", "/dev/ttyUSB0"),
        ("edge.sources.pi:read", "function", "edge.sources.pi:read"),
    ],
)
def test_each_kind_has_a_form_of_its_own(text: str, kind: str, place: str) -> None:
    assert Address.parse(text) == Address(kind, place)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "stdout", "file:", "serial:", "pi", "a b:read", "a:b:c", "../x:read"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected stdin, file:PATH, serial:PATH or MODULE:FUNCTION"):
        Address.parse(text)
