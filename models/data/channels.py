"""Channels as the command line declares them: COL, COL=UNIT or COL:NAME=VALUE,..."""

from collections.abc import Callable
from typing import Any

from edge.errors import ConfigError
from edge.manifest import Channel

_READ: dict[str, Callable[[str], Any]] = {
    "unit": str,
    "aggregate": str,
    "counter": lambda text: {"yes": True, "true": True, "no": False, "false": False}[text],
    "gap": str,
    "least": float,
    "most": float,
}


def parse_channel(text: str) -> Channel:
    """Return the channel that an option declares; ConfigError says what is wrong with it.

    >>> parse_channel("flow:aggregate=mean,unit=l/min,least=0").aggregate
    'mean'
    >>> parse_channel("flow=l/min").unit
    'l/min'
    """
    name, colon, rest = text.rpartition(":")
    if not colon or "=" in name or "=" not in rest:
        name, _, unit = text.partition("=")
        return Channel(name, unit)
    given: dict[str, Any] = {}
    for part in rest.split(","):
        key, _, value = part.partition("=")
        if key not in _READ:
            raise ConfigError(f"--channel {name}: expected one of {', '.join(_READ)}, got {key!r}")
        try:
            given[key] = _READ[key](value)
        except (ValueError, KeyError) as error:
            wanted = "yes or no" if key == "counter" else "a number"
            raise ConfigError(f"--channel {name}: {key}: expected {wanted}, got {value!r}") from error
    return Channel(name, **given)
