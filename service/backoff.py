"""The back-off: how long to wait with the next connection, so that two clients of one name do not fight."""

import random
from typing import NamedTuple


class _Pace(NamedTuple):
    """The first wait after another client took our session over, the longest, and when that is forgotten, in s."""

    first_s: int
    longest_s: int
    forgotten_s: int  # a connection that lasted so long was no fight: the other's longest wait is shorter


_SOON_S, _LATEST_S = 1, 30  # the first wait after a connection, and the longest while there is no broker
_CERTAIN = _Pace(30, 600, 1800)  # the broker has said so
_LIKELY = _Pace(8, 30, 120)  # it ends one connection after the other, as soon as the other client is back
_SHORT_S, _SHORTS = 3.0, 5


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
        self._pace = _LIKELY

    @property
    def is_fighting(self) -> bool:
        """Whether another client seems to have our name."""
        return self._fights > 0

    def after(self, lasted_s: float, taken_over: bool, told: bool) -> Wait:
        """Return the wait after a connection; `told`: the broker has said why it ended it."""
        self._shorts = self._shorts + 1 if lasted_s < _SHORT_S and not told else 0
        if lasted_s > self._pace.forgotten_s or (told and not taken_over):
            self._fights = 0
        if taken_over:
            self._pace = _CERTAIN
        elif not self._fights:
            self._pace = _LIKELY
        if not (taken_over or self._fights or self._shorts >= _SHORTS):
            return Wait(_SOON_S, _LATEST_S)
        wait = min(self._pace.first_s * 2**self._fights, self._pace.longest_s)
        self._fights = min(self._fights + 1, 10)
        wait = round(wait * random.uniform(1, 1.5))  # noqa: S311  so that the two do not meet again
        return Wait(wait, max(wait, _LATEST_S))
