"""Scaling: each stream's own location and scale, so that one forecaster serves many devices.

A stream that the bundle was trained on brings its scaling along. Any other stream learns it from its
first slots: mean and standard deviation by Welford's recurrence (Welford 1962), kept in the record. A channel that
stood still meanwhile has no scale of its own: its first move sets it. So none of it depends on the unit of the values.
"""

import numpy as np
from numpy.typing import NDArray

from edge.state import Records

FLOOR = 1e-9  #: a deviation below this share of the values' size is rounding, not variation
LEAST = 1e-100  #: a smaller size is none
FIRST = 0.5  #: of a still channel's first move is its scale: the move leaves the range of inputs, which is 1 about it
MOST = 1e6  #: scaled values are held to this size, which keeps all arithmetic finite
_LOWEST, _HIGHEST = np.array(-MOST), np.array(MOST)


def usable_scale(location: NDArray[np.float64], deviation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the deviation as a scale to divide by; what rounding comes to where a channel does not vary."""
    scale: NDArray[np.float64] = np.maximum(deviation, _rounding(location))
    return scale


def after_move(
    value: NDArray[np.float64], location: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return scales (..., C) once values (..., C), NaN where nothing came, have moved what stood still until then."""
    move = np.abs(value - location)
    return np.where((scale <= _rounding(location)) & (move > scale), FIRST * move, scale)


def is_still(records: Records) -> NDArray[np.bool_]:
    """Tell which channels (n, C) have stood still so far."""
    still: NDArray[np.bool_] = records["scale"] <= _rounding(records["location"])
    return still


def take_move(value: NDArray[np.float64], records: Records) -> None:
    """Take values (n, C), NaN where nothing came, into the scale of channels that stood still until them."""
    records["scale"] = after_move(value, records["location"], records["scale"])


def _rounding(location: NDArray[np.float64]) -> NDArray[np.float64]:
    size: NDArray[np.float64] = np.maximum(FLOOR * np.abs(location), LEAST)
    return size


def so_far(records: Records) -> NDArray[np.float64]:
    """Return the deviations so far (n, C) of streams whose scaling is still being learnt."""
    deviation: NDArray[np.float64] = np.sqrt(records["scale"] / np.maximum(records["seen"], 1)[:, None])
    return deviation


def scaled(value: NDArray[np.float64], records: Records) -> NDArray[np.float32]:
    """Return values (n, C) in their streams' scale; NaN stays NaN."""
    deviations: NDArray[np.float64] = (value - records["location"]) / records["scale"]
    held: NDArray[np.float32] = np.minimum(np.maximum(deviations, _LOWEST), _HIGHEST).astype(np.float32)
    return held


def unscaled(value: NDArray[np.float32], records: Records) -> NDArray[np.float64]:
    """Return scaled values (n, C) in the channels' units."""
    return records["location"] + records["scale"] * value


def learn(value: NDArray[np.float64], records: Records, slots: int) -> None:
    """Take one slot's values (n, C) into scalings that are being learnt over that many slots.

    A value that is missing counts as the mean so far.
    """
    seen = records["seen"][:, None].astype(np.float64)
    delta = np.where(np.isfinite(value), value - records["location"] * (seen > 0), 0.0)
    location = np.where(seen > 0, records["location"] + delta / (seen + 1), np.nan_to_num(value))
    squares = records["scale"] * (seen > 0) + np.where(seen > 0, delta * delta * seen / (seen + 1), 0.0)
    last = seen + 1 >= slots
    records["location"] = location
    records["scale"] = np.where(last, usable_scale(location, np.sqrt(squares / slots)), squares)
