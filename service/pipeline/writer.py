"""The writer: the one thread that writes the database, a transaction for each batch of messages."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event, Thread
from typing import TypeVar

from edge.attention import Attention, Heard
from edge.inbox import Inbox, Message
from edge.operation.failpoint import reach
from service.counters import Counters
from service.operation.standing import Standing
from service.pipeline.monitor import Monitor
from service.pipeline.transaction import Scored, Transaction
from service.relays.letters import Letter
from service.relays.mqtt_sink import mqtt_sinks
from service.relays.outbox import Outbox
from service.reload.change import Change
from service.settings import IncidentSettings
from service.storage.disk import Disk
from service.storage.history import HistorySettings
from service.storage.recovery import Recovery
from service.storage.store import Store

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH, BATCH_BYTES = 5_000, 4 * 1024 * 1024  #: messages a transaction, at most, and their bytes
_IDLE_S = 1.0
_FIRST_RETRY_S, _LAST_RETRY_S = 0.1, 30.0


class Writer:
    """Takes messages from the inbox, scores them and commits all that follows; then they may be acknowledged.

    After an error of the database everything in memory is read anew from it and the same messages are
    tried again, until they are committed or the writer is told to give up.
    """

    def __init__(
        self,
        store: Store,
        monitors: Sequence[Monitor],
        inbox: Inbox,
        counters: Counters,
        on_commit: Callable[[Sequence[Message], list[Scored]], None],
        incident: IncidentSettings | None = None,
        standing: Standing | None = None,
        ballast_mb: int = 0,
        outbox: Outbox | None = None,
        heard: Callable[[], Heard] | None = None,
        history: HistorySettings | None = None,
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._counters = counters
        self._on_commit = on_commit
        self._outbox = outbox or Outbox(store, mqtt_sinks(monitors), counters)
        self._standing = standing or Standing(counters, inbox)
        self._recovery = Recovery(store, Disk(store.path, ballast_mb * 1024 * 1024), self._standing)
        self._attention = Attention(inbox, heard)
        self._transaction = Transaction(
            store, monitors, counters, self._outbox, self._attention, self._standing, self._recovery,
            incident, history or HistorySettings(),
        )  # fmt: skip
        self._change: Change | None = None
        self._give_up = Event()
        self.on_turn: Callable[[float], None] = lambda _: None  #: the writer begins a step, or waits for so long, s
        self._thread = Thread(target=self._run, name="writer", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the writer's thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Read the streams' states from the open store and begin."""
        self._transaction.restore()
        self._recovery.start()
        self._standing.look(self._transaction.monitors)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Commit what is in the closed inbox, as far as the time allows, and end."""
        self._thread.join(timeout_s)
        self._give_up.set()
        self._inbox.wake()
        self._thread.join(timeout_s)

    def forget(self, ids: Sequence[int], letters: Sequence[Letter] = (), at_once: bool = True) -> None:
        """Take what a relay has delivered out of the outbox, and keep what was refused, with the next transaction."""
        self._outbox.forget(ids, letters)
        if at_once:
            self._inbox.wake()

    def finish(self) -> None:
        """Take what was delivered since the end out of the outbox; what cannot be is delivered again."""
        if self.is_alive:
            return
        try:
            with self._store.transaction():
                self._outbox.settle()
            self._outbox.committed()
        except sqlite3.Error as error:
            log.warning("delivered alarms stay in the outbox: %s", error)

    def replace(self, change: Change) -> None:
        """Have other monitors take the place of those there are, between two batches."""
        self._change = change
        self._inbox.wake()

    def _run(self) -> None:
        try:
            while not self._give_up.is_set() and not self._inbox.drained:
                self.on_turn(_IDLE_S)
                self._recovery.look()
                if (change := self._change) is not None and self._insist(partial(self._transaction.adopt, change)):
                    self._change = None
                    self._standing.look(self._transaction.monitors)
                    change.done.set()
                batch = self._inbox.take(BATCH, self._patience_s(), BATCH_BYTES)
                self._attention.look()
                self._commit(batch)
        except Exception:
            log.exception("the writer has failed; nothing is acknowledged any more")
            raise

    def _patience_s(self) -> float:
        """Return how long there is nothing to do but wait for messages."""
        return 0.0 if self._transaction.has_more else _IDLE_S

    def _commit(self, batch: list[Message]) -> None:
        """Commit a batch and have it acknowledged; return without only if told to give up."""
        scored = self._insist(lambda: self._transaction.commit(batch))
        if scored is None:
            return
        self._inbox.done(len(batch))
        self._on_commit(batch, scored)
        reach("after-acknowledge")

    def _insist(self, work: Callable[[], T]) -> T | None:
        """Do work on the database however often it takes; return None only if told to give up."""
        delay_s, broken = _FIRST_RETRY_S, False
        while True:
            self.on_turn(0)
            try:
                if broken:
                    self._store.reopen()
                    self._transaction.restore()
                return work()
            except sqlite3.Error as error:
                broken = True
                self._counters.retries += 1
                delay_s = self._recovery.mend(error, delay_s)
                log.warning("the database refuses: %s; trying again in %.1f s", error, delay_s)
            self.on_turn(delay_s)
            if self._give_up.wait(delay_s):
                return None
            delay_s = min(2 * delay_s, _LAST_RETRY_S)
