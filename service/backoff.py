"""The back-off: how long to wait with the next connection, so that two clients of one name do not fight."""

import random

_SOON_S, _LATEST_S = 1, 30  # the first wait after a connection, and the longest while there is no broker
_CERTAIN_S, _CERTAIN_LATEST_S = 30, 600  # when the broker has said that another client took our session over
_LIKELY_S, _LIKELY_LATEST_S = 8, 30  # when it only ends one connection after the other
_SHORT_S = 10.0
_SHORTS = 3
_CALM_S = 1800.0  # after so long a connection nothing is remembered


class BackOff:
    """Remembers how connections ended. With MQTT 3.1.1 a broker does not say why; then short ones make it likely."""

    def __init__(self, told: bool) -> None:
        self._told = told  # whether the broker says why it ends a connection (MQTT 5)
        self._shorts = 0
        self._fights = 0

    def after(self, lasted_s: float, taken_over: bool) -> tuple[int, int]:
        """Return the wait after a connection, and the longest of those that follow while there is no broker, in s."""
        if lasted_s > _CALM_S:
            self._shorts = self._fights = 0
        if not self._told:
            self._shorts = self._shorts + 1 if lasted_s < _SHORT_S else 0
            taken_over = self._fights > 0 or self._shorts >= _SHORTS
        if not taken_over:
            return _SOON_S, _LATEST_S
        first, latest = (_CERTAIN_S, _CERTAIN_LATEST_S) if self._told else (_LIKELY_S, _LIKELY_LATEST_S)
        wait = min(first * 2**self._fights, latest)
        self._fights = min(self._fights + 1, 10)
        wait = round(wait * random.uniform(1, 1.5))  # noqa: S311  so that the two do not meet again
        return wait, max(wait, _LATEST_S)

    @property
    def is_fighting(self) -> bool:
        """Whether another client seems to have our name."""
        return self._fights > 0
