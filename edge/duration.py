"""Durations as people write them."""

import re

from edge.errors import ConfigError

_UNIT_MS = {
    "ms": 1,
    "s": 1000,
    "min": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "y": 31_536_000_000,
}  # a year of 365 days
_DURATION = re.compile(r"(\d+) *(ms|s|min|h|d|y)")


def parse_duration(text: str) -> int:
    """Return a duration such as '10s' in milliseconds; ConfigError on any other form.

    >>> parse_duration("5min")
    300000
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ConfigError(f"interval: expected a duration such as '10s', '5min' or '1h', got {text!r}")
    return int(match[1]) * _UNIT_MS[match[2]]


def duration_text(duration_ms: int) -> str:
    """Return milliseconds in the greatest unit of which they are a whole number.

    >>> duration_text(300_000)
    '5min'
    """
    unit = max((each for each in _UNIT_MS if duration_ms % _UNIT_MS[each] == 0), key=lambda each: _UNIT_MS[each])
    return f"{duration_ms // _UNIT_MS[unit]}{unit}"
