"""The back-off: how long to wait with the next connection, so that two clients of one name do not fight."""

import random
from typing import NamedTuple

_SOON_S, LATEST_S = 1, 30  #: the first wait after a connection, and the longest while there is no broker
_LIKELY_S = 8  # the first wait where a takeover is likely; where the broker has said so, it is the longest
_SPREAD = 1.5  # so that the two do not meet again
_SHORT_S, _SHORTS = 3.0, 5
_FORGOTTEN_S = 120.0  # a connection that lasted so long was no fight: the other's longest wait is shorter

LONGEST_WAIT_S = round(LATEST_S * _SPREAD)


class Wait(NamedTuple):
    """How long to wait with the next connection, and at most while there is no broker, in s."""

    next_s: int
    longest_s: int


class BackOff:
    """Remembers how connections ended. Not every broker says that another client has taken our session over.

    mosquitto 2.0.11 does not, nor does any with MQTT 3.1.1; then connections that are short, one like the
    other, make it likely.
    """

    def __init__(self) -> None:
        self._shorts = 0
        self._fights = 0

    @property
    def is_fighting(self) -> bool:
        """Whether another client seems to have our name."""
        return self._fights > 0

    def after(self, lasted_s: float, taken_over: bool, told: bool) -> Wait:
        """Return the wait after a connection; `told`: the broker has said why it ended it."""
        self._shorts = self._shorts + 1 if lasted_s < _SHORT_S and not told else 0
        if lasted_s > _FORGOTTEN_S or (told and not taken_over):
            self._fights = 0
        if not (taken_over or self._fights or self._shorts >= _SHORTS):
            return Wait(_SOON_S, LATEST_S)
        wait = LATEST_S if taken_over else min(_LIKELY_S * 2**self._fights, LATEST_S)
        self._fights = min(self._fights + 1, 10)
        wait = round(wait * random.uniform(1, _SPREAD))  # noqa: S311
        return Wait(wait, max(wait, LATEST_S))
