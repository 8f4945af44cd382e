"""Conversions: values that look like the same measurement in another unit.

    converted = factor * value + offset

A sensor whose unit was changed goes on as before, converted. So a value that leaps is compared with what the one
before would be in another unit; after several slots that agree it is taken for such a change. They agree if they
differ by a small share of the value before, and of what the conversion changes it by: 273 more is little to a pressure
of 101,325 Pa, and is no other unit of it.
"""

import numpy as np
from numpy.typing import NDArray

from edge.state import Records

#: factor and offset of what a channel's values may turn into; the first is no conversion
CONVERSIONS = np.array(
    [
        (1.0, 0.0),
        (1000.0, 0.0),
        (1 / 1000.0, 0.0),
        (3.6, 0.0),
        (1 / 3.6, 0.0),
        (60.0, 0.0),
        (1 / 60.0, 0.0),
        (1.8, 32.0),  # degC to degF
        (1 / 1.8, -32.0 / 1.8),
        (1.0, 273.15),  # degC to K
        (1.0, -273.15),
    ]
)
SLOTS = 3  #: that must agree
_NEAR, _STILL_NEAR = 0.02, 0.25  # shares; wider once it is settled


def find(value: NDArray[np.float64], records: Records) -> NDArray[np.uint8]:
    """Return the conversion that each value (n, C) looks like, by number; 0 where it looks like none.

    A conversion that is under way is kept as long as it fits; another begins with a leap of the value, of more
    than twenty usual differences.
    """
    held, going = records["held"], records["unit"]
    miss = _miss(value[..., None], held[..., None])
    nearest = miss.argmin(axis=-1)
    leaps = np.abs(value - held) > 20 * records["pace"]
    begins = leaps & (np.take_along_axis(miss, nearest[..., None], -1)[..., 0] <= _NEAR)
    fit = np.take_along_axis(miss, going[..., None].astype(np.intp), -1)[..., 0]
    near = np.where(records["unit_run"] >= SLOTS, _STILL_NEAR, _NEAR)
    stays = (going > 0) & leaps & (fit <= near)
    return np.where(stays, going, np.where(begins, nearest, 0)).astype(np.uint8)


def _miss(value: NDArray[np.float64], held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far values are from the ones before (both n, C, 1), converted in each of K ways: a share (n, C, K)."""
    factor, offset = CONVERSIONS.T
    miss = np.abs((value - offset) / factor - held)
    changed = np.abs((held - offset) / factor - held)
    size = np.minimum(np.abs(held), changed)
    share = np.where(miss > 0, np.inf, 0.0)
    np.divide(miss, size, out=share, where=size > 0)
    share[..., 0] = np.inf
    return share


def is_sustained(unit: NDArray[np.uint8], records: Records) -> NDArray[np.bool_]:
    """Tell where the conversion found (n, C) has lasted for long enough, this slot included."""
    lasted = np.where(unit == records["unit"], records["unit_run"].astype(np.int64), 0) + 1
    result: NDArray[np.bool_] = lasted >= SLOTS
    return result


def learn(unit: NDArray[np.uint8], here: NDArray[np.bool_], records: Records) -> None:
    """Keep the conversions found (n, C), where there was a value, and how long they have lasted."""
    lasted = np.where(unit == records["unit"], records["unit_run"], 0)
    run = np.where(unit > 0, np.minimum(lasted + 1, 255), 0)
    records["unit_run"] = np.where(here, run, records["unit_run"])
    records["unit"] = np.where(here, unit, records["unit"])
