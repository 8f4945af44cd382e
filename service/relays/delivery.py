"""Delivery: the thread that brings one sink's rows from the outbox to its server, in order, however long it takes."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from threading import Event, Thread
from time import monotonic, time
from typing import Protocol

from edge.operation.failpoint import reach
from service.relays.answer import Answer
from service.relays.letters import Letter
from service.relays.outbox import VERDICT, OutboxRow
from service.relays.retry import Retry

log = logging.getLogger(__name__)

_IDLE_S = 1.0  # it is woken; this is for what was missed
_MOST_TIMES = 30  # a server that sends little by little may take so many times its timeout
_MOST_BYTES = 1024 * 1024  # of rows sent at once


class Target(Protocol):
    """A server that answers each request."""

    name: str
    most_rows: int  #: sent at once
    timeout_s: float  #: a request fails after so long without a word from the server

    def send(self, rows: Sequence[OutboxRow]) -> Answer:
        """Send rows, and return what came of it; raises nothing."""

    def split(self, row: OutboxRow) -> list[OutboxRow]:
        """Return the parts of a row that could be refused one by one."""

    def close(self) -> None:
        """Give the connections back."""


class Rows(Protocol):
    """What there is to be delivered, in order."""

    def read(self, after: int, most: int, most_bytes: int | None = None) -> list[OutboxRow]:
        """Return the next rows, oldest first; sqlite3.Error if that fails."""

    def close(self) -> None:
        """Give the connection back; it is opened again when it is needed."""


Forget = Callable[[Sequence[int], Sequence[Letter], bool], None]


class Delivery:
    """Reads the outbox after its own position, delivers, and has forgotten what the server has taken.

    What fails is tried again without end. What the server refuses as wrong is halved until the row, or the line of
    it, is found that it will not take; that becomes a letter, and the rest is delivered.
    """

    def __init__(
        self,
        target: Target,
        outbox: Rows,
        forget: Forget,
        retry: Retry | None = None,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.on_turn: Callable[[float], None] = lambda _: None  #: the relay begins a step, or waits for so long, s
        self._target = target
        self._outbox = outbox
        self._forget = forget
        self._retry = retry or Retry()
        self._stopping = Event()
        self._wait = wait or self._stopping.wait
        self._work = Event()
        self._position = 0  # id of the newest row delivered
        self._until = float("inf")  # monotonic, s
        self._trouble: str | None = None  # as it was logged
        self._waited_s = 0.0
        self._thread = Thread(target=self._run, name=f"relay-{target.name}", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the relay's thread runs; a server that is away does not end it."""
        return self._thread.is_alive()

    @property
    def trouble(self) -> str | None:
        """Return why nothing is delivered at present, None if nothing is in the way."""
        return self._trouble

    def start(self) -> None:
        """Deliver what is in the outbox, and what comes."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Deliver what is there as far as the time allows and the server takes it, and end."""
        self._until = monotonic() + timeout_s
        self._stopping.set()
        self._work.set()
        self._thread.join(timeout_s)

    def wake(self) -> None:
        """Look for rows that were just committed."""
        self._work.set()

    def _run(self) -> None:
        try:
            last = False
            while not last:
                self.on_turn(_IDLE_S)
                self._work.wait(_IDLE_S)
                self._work.clear()
                last = self._stopping.is_set()
                self._attempt()
        finally:
            self._target.close()
            self._outbox.close()

    def _attempt(self) -> None:
        """Deliver all that is in the outbox; whatever goes wrong, the rows are still there."""
        try:
            self._drain()
        except (sqlite3.Error, OSError) as error:
            self._pause(Answer(0, f"the outbox cannot be read: {error}"))
        except Exception:
            log.exception("%s: the relay has failed; trying again", self._target.name)
            self._wait(self._retry.next_s())

    def _drain(self) -> None:
        """Deliver all that is in the outbox."""
        while monotonic() < self._until:
            rows = self._outbox.read(self._position, self._target.most_rows, _MOST_BYTES)
            if not rows or not self._deliver(rows):
                return

    def _deliver(self, rows: list[OutboxRow]) -> bool:
        """Deliver rows but for what is refused; False if the relay is to end before that is done."""
        letters: list[Letter] = []
        parts = [rows]
        while parts:
            part = parts.pop()
            answer = self._insist(part)
            if answer is None:
                return False
            if answer.delivered:
                continue
            if len(part) == 1:
                part = self._target.split(part[0])
            if len(part) == 1:
                letters.append(self._letter(part[0], answer))
            else:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
        if letters:
            log.error("%s: %d refused: %s", self._target.name, len(letters), letters[0].reason)
        self._position = rows[-1].id
        self._forget([row.id for row in rows], letters, any(row.kind != VERDICT for row in rows))
        return True

    def _insist(self, rows: Sequence[OutboxRow]) -> Answer | None:
        """Send rows until they are taken or refused, and return that answer; None if the relay is to end before."""
        while True:
            self.on_turn(_MOST_TIMES * self._target.timeout_s)
            reach("before-delivery")
            answer = self._target.send(rows)
            reach("after-delivery")
            if answer.delivered or answer.refused:
                self._recovered()
                return answer
            if self._stopping.is_set() or self._pause(answer):
                return None

    def _pause(self, answer: Answer) -> bool:
        """Wait before the next try, and return whether the relay is to end; say why if that is new."""
        wait_s = self._retry.next_s(answer.retry_after_s)
        if (trouble := str(answer)) != self._trouble:
            self._trouble = trouble
            level = logging.ERROR if 300 <= answer.status < 500 and answer.status != 429 else logging.WARNING
            log.log(level, "%s: not delivered: %s; trying again", self._target.name, trouble)
        self._waited_s += wait_s
        self.on_turn(wait_s)
        return self._wait(wait_s)

    def _recovered(self) -> None:
        if self._trouble is not None:
            log.info("%s: delivers again, after %.0f s", self._target.name, self._waited_s)
        self._trouble, self._waited_s = None, 0.0
        self._retry.reset()

    def _letter(self, row: OutboxRow, answer: Answer) -> Letter:
        return Letter(int(1000 * time()), self._target.name, row.kind, row.stream, row.body, str(answer))
