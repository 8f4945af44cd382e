"""The attention: the clocks by which streams fall silent. Each runs only while the service would hear its broker.

A stream that says nothing while the link is cut, the broker is away or a backlog waits has not fallen silent: what
it said comes later, and its slots must not be closed before that.
"""

from collections.abc import Callable, Mapping
from time import monotonic

from edge.inbox import Inbox

_MOST_MS = 3_000  # a longer step says that somebody was held up, the broker or we
Heard = Mapping[str, int | None]


class Attention:
    """Counts, for each broker, the time of which everything is known that it had for us."""

    def __init__(
        self, inbox: Inbox, heard: Callable[[], Heard] | None = None, now_ms: Callable[[], int] | None = None
    ) -> None:
        """`heard` returns until when all has come of each broker (monotonic ms, by name), None if that is unknown."""
        self._inbox = inbox
        self._heard = heard or _all_until_now
        self._now_ms = now_ms or _monotonic_ms
        self._since: dict[str, int] = {}  # nothing is known for certain of what is later
        self._until: dict[str, int] = {}
        self._ms: dict[str, int] = {}

    def look(self) -> None:
        """Let pass what is known by now; to be called when messages have been taken from the inbox."""
        heard, looked = self._heard(), self._now_ms()
        is_behind = self._inbox.waiting > 0
        for source, now in heard.items():
            before = self._until.pop(source, None)
            self._since[source] = looked if now is None else now
            if now is None or is_behind:
                continue
            if before is not None and 0 <= now - before <= _MOST_MS:
                self._ms[source] = self.ms(source) + now - before
            self._until[source] = now

    def ms(self, source: str) -> int:
        """Return the time on the clock of a broker."""
        return self._ms.get(source, 0)

    def ms_of_arrival(self, source: str) -> int:
        """Return the time that the clock will show, at the latest, once it is known that all has come until now.

        What is in hand came after what the clock shows. To count from there would make its slot end too soon.
        """
        return self.ms(source) + min(max(self._now_ms() - self._since.get(source, self._now_ms()), 0), _MOST_MS)


def _all_until_now() -> Heard:
    return {"": _monotonic_ms()}


def _monotonic_ms() -> int:
    return int(1000 * monotonic())
