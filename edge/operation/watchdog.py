"""The watchdog: whether each worker still does what it said it would, and if not, where it hangs."""

import sys
import threading
import traceback
from collections.abc import Callable
from time import monotonic

_STOPPED_S = 5.0  # who is to ask every second and has not for so long
PATIENCE_S = 60.0  #: how long a worker may take for a step, unless it said that it will be longer


class Heart:
    """One worker's promise to be heard of again."""

    def __init__(self, name: str, patience_s: float, clock: Callable[[], float]) -> None:
        self.name = name
        self._patience_s = patience_s
        self._clock = clock
        self._due: float | None = None  # None: it has not begun

    def beat(self, busy_s: float = 0.0) -> None:
        """Say that all is well, and that the next word comes within the patience, or so much later."""
        self._due = self._clock() + self._patience_s + busy_s

    def forgive(self) -> None:
        """Begin to be patient anew."""
        if self._due is not None:
            self._due = max(self._due, self._clock() + self._patience_s)

    @property
    def is_late(self) -> bool:
        """Whether a word is overdue."""
        return self._due is not None and self._clock() > self._due


class Watchdog:
    """Knows the hearts of all workers."""

    def __init__(self, patience_s: float = PATIENCE_S, clock: Callable[[], float] = monotonic) -> None:
        self._patience_s = patience_s
        self._clock = clock
        self._hearts: list[Heart] = []
        self._asked: float | None = None

    def heart(self, name: str, more_s: float = 0.0) -> Heart:
        """Return the heart of a worker that may take so much longer than the patience for each step."""
        self._hearts.append(Heart(name, self._patience_s + more_s, self._clock))
        return self._hearts[-1]

    def hung(self) -> list[str]:
        """Return the names of the workers that should have been heard of; to be asked every second or so.

        Who has not asked for long was stopped himself, and so was everybody: then patience begins anew.
        """
        asked, self._asked = self._asked, self._clock()
        if asked is not None and self._asked - asked > _STOPPED_S:
            for heart in self._hearts:
                heart.forgive()
        return [heart.name for heart in self._hearts if heart.is_late]


def stacks() -> str:
    """Return where each thread is, by its name."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame)).rstrip()}"
        for ident, frame in sys._current_frames().items()
    )
