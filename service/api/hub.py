"""The hub: one fan-out of what happens, to all who listen to server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.api.problems import ProblemError

MOST_LISTENERS = 200
_MOST_WAITING = 1000  # events of one listener, who then is too slow and must begin anew
_BEAT_S = 10.0
_encode = msgspec.json.Encoder().encode


@dataclass(eq=False, slots=True)
class Listener:
    """Somebody who listens."""

    streams: NDArray[np.int64]  #: ids of those whose verdicts are wanted
    kinds: frozenset[str]  #: of events besides verdicts
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_MOST_WAITING))
    is_lost: bool = False  #: it was too slow


class Hub:
    """Hands events on. For the event loop's thread only."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    @property
    def wanted(self) -> frozenset[int]:
        """Return the ids of the streams whose verdicts somebody wants."""
        return frozenset(ident for each in self._listeners for ident in each.streams.tolist())

    def add(self, streams: Sequence[int], kinds: Iterable[str]) -> Listener:
        """Begin to listen, from now on; ProblemError if too many do."""
        if len(self._listeners) >= MOST_LISTENERS:
            detail = f"expected at most {MOST_LISTENERS} who listen to events, got one more: close some pages"
            raise ProblemError(503, detail, {"Retry-After": "30"})
        listener = Listener(np.array(streams, np.int64), frozenset(kinds))
        self._listeners.add(listener)
        return listener

    def tell(self, kind: str, content: object) -> None:
        """Tell all who want events of a kind."""
        message = event(kind, content)
        for listener in list(self._listeners):
            if kind in listener.kinds:
                _put(listener, message)

    def tell_verdicts(self, ids: NDArray[np.int64], content: Callable[[int], object]) -> None:
        """Tell of verdicts (n,) by the ids of their streams; `content` returns that of one, and is asked once."""
        made: dict[int, bytes] = {}
        for listener in list(self._listeners):
            if len(listener.streams):
                for row in np.flatnonzero(np.isin(ids, listener.streams)).tolist():
                    if row not in made:
                        made[row] = event("verdict", content(row))
                    _put(listener, made[row])

    async def listen(self, listener: Listener) -> AsyncIterator[bytes]:
        """Yield what a listener is told, and a comment now and then, until it is too slow or all is over."""
        try:
            yield b"retry: 2000\n\n: welcome\n\n"
            while not listener.is_lost:
                try:
                    message = await asyncio.wait_for(listener.queue.get(), _BEAT_S)
                except TimeoutError:
                    yield b": beat\n\n"
                    continue
                if message is None:
                    return
                yield message
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End what all listen to."""
        for listener in list(self._listeners):
            listener.is_lost = True
            if not listener.queue.full():
                listener.queue.put_nowait(None)


def event(kind: str, content: object) -> bytes:
    """Return an event as it is sent: JSON has no line breaks of its own."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), _encode(content))


def _put(listener: Listener, message: bytes) -> None:
    if listener.queue.full():
        listener.is_lost = True
    else:
        listener.queue.put_nowait(message)
