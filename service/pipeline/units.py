"""Units: from what a sensor sends to what the bundle was trained on."""

import re
from functools import cache
from tokenize import TokenError
from typing import NamedTuple

from pint import UnitRegistry
from pint.errors import PintError

from edge.errors import ConfigError


class Conversion(NamedTuple):
    """converted = factor * value + offset."""

    factor: float = 1.0
    offset: float = 0.0


def conversion(sent: str, expected: str) -> Conversion:
    """Return what turns values in one unit into another; ConfigError if either is unknown or they do not fit.

    >>> conversion("m3/h", "l/min").factor
    16.666666666666664
    """
    units = _registry()
    try:
        offset, one = (units.Quantity(value, sent).to(expected).magnitude for value in (0.0, 1.0))
    except (PintError, TokenError, ValueError, TypeError, AttributeError, AssertionError) as error:
        raise ConfigError(f"unit: expected one that converts to {expected!r}, got {sent!r}") from error
    return Conversion(one - offset, offset)


@cache
def _registry() -> "UnitRegistry[float]":
    return UnitRegistry(preprocessors=[_with_powers])


def _with_powers(text: str) -> str:
    """Return a unit whose powers are written as plants write them, m3 and cm2, as pint reads them."""
    return re.sub(r"(?<=[A-Za-z])([23])\b", r"**\1", text)
