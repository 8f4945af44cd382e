"""What every source does: it puts messages into the inbox, from a thread of its own."""

import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Protocol

from edge.inbox import Inbox, Message

log = logging.getLogger(__name__)

LOOK_S = 0.5  #: so often a source looks whether it is to end
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class Source(Protocol):
    """One source of readings."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will come from it any more."""

    def start(self) -> None:
        """Begin to put messages into the inbox."""

    def stop(self) -> None:
        """Put no further messages into the inbox."""

    def turn(self) -> None:
        """Look whether all is well; called about once a second."""


class Worker:
    """A source's thread: what it does, how it ends, and how long it waits after a failure."""

    def __init__(self, name: str, inbox: Inbox, now_ms: Callable[[], int], work: Callable[[], None]) -> None:
        self.name = name
        self.stopping = Event()
        self._inbox = inbox
        self._now_ms = now_ms
        self._work = work
        self._trouble = ""
        self._pause_s = _FIRST_PAUSE_S
        self._thread = Thread(target=self._run, name=name, daemon=True)

    @property
    def is_over(self) -> bool:
        """Whether the thread has ended."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, as soon as what is being done allows it; nothing waits for what hangs."""
        self.stopping.set()
        self._thread.join(2 * LOOK_S)

    def give(self, payloads: Sequence[tuple[int, bytes]]) -> None:
        """Put payloads with their places, at which the source goes on after each, into the inbox; wait for room."""
        messages = self.messages(payloads)
        while messages and not self.stopping.is_set():
            messages = messages[self._inbox.put(messages, LOOK_S) :]

    def messages(self, payloads: Sequence[tuple[int, bytes]]) -> list[Message]:
        """Return payloads with their places as messages that come now."""
        now_ms = self._now_ms()
        return [Message(0, place, 0, "", payload, False, now_ms, self.name) for place, payload in payloads]

    def fails(self, why: str) -> None:
        """Say what is wrong, once, and wait a while that grows."""
        if why != self._trouble:
            self._trouble = why
            log.error("%s: %s; trying again", self.name, why)
        self.stopping.wait(self._pause_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def succeeds(self) -> None:
        """Note that all is well."""
        if self._trouble:
            log.info("%s: all is well again", self.name)
        self._trouble, self._pause_s = "", _FIRST_PAUSE_S

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._work()
            except OSError as error:
                self.fails(error.strerror or str(error))
            except Exception as error:  # noqa: BLE001  a plug-in's; it must not end the thread
                self.fails(f"{type(error).__name__}: {error}")
            else:
                return
