"""Durations as people write them."""

import re

from edge.errors import ConfigError

_UNIT_MS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d+) *(ms|s|min|h|d)")


def parse_duration(text: str) -> int:
    """Return a duration such as '10s' in milliseconds; ConfigError on any other form.

    >>> parse_duration("5min")
    300000
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ConfigError(f"interval: expected a duration such as '10s', '5min' or '1h', got {text!r}")
    return int(match[1]) * _UNIT_MS[match[2]]
