"""Retry: how long to wait before something that failed is tried again."""

from random import Random

FIRST_S, LONGEST_S = 0.5, 60.0
LONGEST_ASKED_S = 3600.0  #: a server that asks for more is not believed


class Retry:
    """Waits twice as long each time, up to a minute, and at random, so that many do not come back at once."""

    def __init__(self, random: Random | None = None) -> None:
        self._random = random or Random()  # noqa: S311  nothing secret
        self._ceiling_s = FIRST_S

    def reset(self) -> None:
        """Begin anew, as something has succeeded."""
        self._ceiling_s = FIRST_S

    def next_s(self, asked_s: float | None = None) -> float:
        """Return how long to wait now, in seconds: at least as long as the server asks for, if it does."""
        wait_s = self._ceiling_s * self._random.uniform(0.5, 1.0)
        self._ceiling_s = min(2 * self._ceiling_s, LONGEST_S)
        return max(wait_s, min(asked_s or 0.0, LONGEST_ASKED_S))
