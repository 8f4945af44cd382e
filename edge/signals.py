"""Signals: what about a slot may be unusual. Each is a number from 0 up, the same for a stream of any channels.

error      the greatest |error| / usual error of any channel
sustained  its running mean over 8 to 32 slots, each slot held to twice what is rare: drifts, and many small errors
novelty    how far a value lies outside all that its channel has shown, over the width of that range
context    how far a value lies outside what its channel showed at this time yesterday (edge/day.py)
shape      how unlike all earlier courses the last one is (edge/shape.py)
"""

import numpy as np
from numpy.typing import NDArray

from edge import across, shape
from edge.across import some
from edge.day import Day, Today
from edge.state import SIGNALS, Records

LEAST_WIDTH = np.array(0.1, np.float32)  #: of the channel's scale; no range that was seen counts as narrower
ERROR, SUSTAINED, NOVELTY, CONTEXT, SHAPE = range(len(SIGNALS))
HELD = np.array(2, np.float32)  #: times what is rare; an error counts at most so much towards the sustained one
_NOTHING = np.array(0, np.float32)


class Signals:
    """Reads the signals of slots, and remembers what the next ones are compared with."""

    def __init__(self, day: Day | None, sustained: int, *, has_course: bool = False) -> None:
        self._day = day
        self._has_course = has_course
        self._sustained = np.array(sustained, np.float32)  # slots of the running mean

    def today(self, time: NDArray[np.int64], records: Records) -> Today | None:
        """Return where in the day slots are, None where no day is remembered; `time` (n,) is in ms."""
        return None if self._day is None else self._day.today(time, records)

    def read(
        self,
        ratio: NDArray[np.float32],
        observed: NDArray[np.float32],
        today: Today | None,
        records: Records,
    ) -> NDArray[np.float32]:
        """Return the signals (n, SIGNALS) of slots at that time of the day, nothing being remembered yet.

        `ratio` (n, C) is |error| over the usual error, 0 where nothing came; `observed` (n, C) is scaled, NaN where
        nothing came.
        """
        signals = np.zeros((len(records), len(SIGNALS)), np.float32)
        signals[:, ERROR] = error = across.greatest(ratio)
        sustained = records["sustained"]
        held = np.minimum(error, HELD * records["rare"][:, ERROR])
        signals[:, SUSTAINED] = sustained + (held - sustained) / self._sustained
        least, most = records["least"], records["most"]
        outside = np.maximum(observed - most, least - observed) / np.maximum(most - least, LEAST_WIDTH)
        signals[:, NOVELTY] = across.greatest(np.fmax(outside, _NOTHING))
        if self._day is not None and today is not None:
            signals[:, CONTEXT] = self._day.distance(observed, today)
        if self._has_course:
            signals[:, SHAPE] = self._shape(observed, records)
        return signals

    def remember(
        self,
        signals: NDArray[np.float32],
        observed: NDArray[np.float32],
        today: Today | None,
        records: Records,
        calm: NDArray[np.bool_],
    ) -> None:
        """Take the slots' signals and values into what the next are compared with; the day only where it is calm."""
        records["sustained"] = signals[:, SUSTAINED]
        np.fmin(records["least"], observed, out=records["least"])
        np.fmax(records["most"], observed, out=records["most"])
        if self._day is not None and today is not None:
            self._day.remember(observed, today, records, calm)
        if self._has_course:
            shape.remember(_filled(observed, records), signals[:, SHAPE], records)

    def _shape(self, observed: NDArray[np.float32], records: Records) -> NDArray[np.float32]:
        """Return the shape (n,); a slot in which nothing came, or no deviation counts, has none."""
        absent = np.isnan(observed)
        if not some(absent):
            return shape.distance(observed, records)
        distance = shape.distance(_filled(observed, records), records)
        distance[across.all_of(absent)] = 0
        return distance


def _filled(observed: NDArray[np.float32], records: Records) -> NDArray[np.float32]:
    """Return the values (n, C), scaled, with the forecast in place of what is missing."""
    absent = np.isnan(observed)
    return np.where(absent, records["forecast"], observed) if some(absent) else observed
