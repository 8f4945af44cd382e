"""From error to score: how seldom a stream is so unlike its forecast, against the limit.

    ratio = |error| / (spread * width * sqrt(1 + missed))    a channel's error over its usual error
    signals                                                  what may be unusual of the slot (edge/signals.py)
    surprise                                                 how seldom each is so high, in decades (edge/surprise.py)
    score = sum of the surprises / (limit + lift)            1.0 is the limit

`width` is the forecaster's own, 1 from one that does not say. A forecast that had to bridge missing slots is
that many steps further ahead; its band widens as a random walk would, by the root. `spread` is the running
mean of |error| / (width * sqrt(1 + missed)).
"""

import numpy as np
from numpy.typing import NDArray

from edge.across import some_number
from edge.state import Records

SPREAD_SLOTS = 8192  #: the running spread forgets over about so many slots
LEAST_SPREAD = 1e-3  #: of a channel's scale; a smaller error is never worth an alarm
MOST_SURPRISE = 3.0  #: an error counts at most so many spreads towards the spread
_LEAST, _MOST, _SLOTS = (np.array(number, np.float32) for number in (LEAST_SPREAD, MOST_SURPRISE, SPREAD_SLOTS))


def unit(records: Records) -> NDArray[np.float32]:
    """Return what each channel's error is measured in (n, C), scaled, but for its spread."""
    units: NDArray[np.float32] = records["width"]
    if some_number(records["missed"]):
        units = units * np.sqrt(1.0 + records["missed"], dtype=np.float32)[:, None]
    return units


def usual(units: NDArray[np.float32], records: Records) -> NDArray[np.float32]:
    """Return each channel's usual error (n, C), scaled."""
    errors: NDArray[np.float32] = np.maximum(records["spread"] * units, _LEAST)
    return errors


def share(ratio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each channel's part in the error (n, C), of 1 in all; equal parts where there was no error."""
    count = ratio.shape[1]
    parts = np.empty(ratio.shape, np.float32)
    parts.fill(1 / count)
    if count == 1:
        return parts
    total = ratio.sum(axis=1, keepdims=True)
    np.divide(ratio, total, out=parts, where=total > 0)
    return parts


def learn(size: NDArray[np.float32], usable: NDArray[np.bool_], records: Records) -> None:
    """Take one slot's |error| over its unit (n, C), where it is usable (n, C), into the streams' running spread."""
    spread = records["spread"]
    np.maximum(spread, _LEAST, out=spread)
    held = np.minimum(size, _MOST * spread)
    np.add(spread, (held - spread) / _SLOTS, out=spread, where=usable)
