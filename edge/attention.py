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

    def __init__(self, inbox: Inbox, heard: Callable[[], Heard] | None = None) -> None:
        """`heard` returns until when all has come of each broker (monotonic ms, by name), None if that is unknown."""
        self._inbox = inbox
        self._heard = heard or _all_until_now
        self._until: dict[str, int] = {}
        self._ms: dict[str, int] = {}

    def look(self) -> None:
        """Let pass what is known by now; to be called when messages have been taken from the inbox."""
        heard = self._heard()
        if self._inbox.waiting:
            self._until.clear()
            return
        for source, now in heard.items():
            before = self._until.pop(source, None)
            if now is None:
                continue
            if before is not None and 0 <= now - before <= _MOST_MS:
                self._ms[source] = self.ms(source) + now - before
            self._until[source] = now

    def ms(self, source: str) -> int:
        """Return the time on the clock of a broker."""
        return self._ms.get(source, 0)


def _all_until_now() -> Heard:
    return {"": int(1000 * monotonic())}
