"""How many hidden units a network gets when nobody says."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.spec import ForecasterSpec

RULE = "geometric pyramid"  #: its name, where it is told
_MULTIPLE = 8  # what vector units of processors take at a time


def rule_of_thumb(spec: "ForecasterSpec", channels: int) -> int:
    """Return the units of a layer by the geometric pyramid rule (Masters 1993), rounded up to a multiple of 8.

    Layers shrink geometrically from what goes in, L C' numbers, to what comes out, H C: one hidden layer between them
    has sqrt(L C' H C) units.

    >>> from models.spec import ForecasterSpec
    >>> rule_of_thumb(ForecasterSpec(lookback=24), channels=4)
    32
    """
    between = math.sqrt(spec.lookback * spec.inputs(channels) * spec.horizon * channels)
    return _MULTIPLE * math.ceil(between / _MULTIPLE)
