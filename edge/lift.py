"""The limit follows the stream: each alarm lifts it, and each quiet slot lowers it by as much as the budget allows.

    lift += STEP                   with each alarm
    lift -= STEP * alarms a slot   with each slot that was judged while no alarm was open

So alarms come at the rate of the budget in the long run, however a stream's noise differs from what was held out
(adaptive conformal inference, Gibbs and Candes 2021): over n slots alarms and budget differ by no more than the lift
has changed by, over STEP. It is frozen while an alarm is open, and one alarm counts once however long it is.
"""

import numpy as np
from numpy.typing import NDArray

from edge.reading import Change
from edge.state import Records

STEP = 0.5  #: decades
LOWEST, HIGHEST = -1.0, 4.0  #: decades
_OPENED = np.array(Change.OPENED, np.uint8)
_LOWEST, _HIGHEST = np.array(LOWEST, np.float32), np.array(HIGHEST, np.float32)


def follow(records: Records, judged: NDArray[np.bool_], change: NDArray[np.uint8], per_slot: float) -> None:
    """Take one slot of each stream into its lift; `judged` (n,) and the Change (n,) are the slot's."""
    lift = records["lift"]
    lift -= (judged & (records["alarm"] == 0)) * np.float32(STEP * per_slot)
    opened = (change == _OPENED).nonzero()[0]
    if opened.size:
        lift[opened] += np.float32(STEP)
        records["raised"][opened] += 1
    records["lift"] = np.minimum(np.maximum(lift, _LOWEST), _HIGHEST)
    records["judged"] += judged


def achieved(records: Records, per_slot: float) -> NDArray[np.float32]:
    """Return the alarms so far over those of the budget (n,): 1.0 is as many; NaN before the budget allows one."""
    allowed = records["judged"] * per_slot
    ratio = np.empty(len(allowed), np.float32)
    ratio.fill(np.nan)
    np.divide(records["raised"], allowed, out=ratio, where=allowed >= 1, casting="same_kind")
    return ratio
