"""The writer: the one thread that writes the database, and the one transaction it knows."""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from time import monotonic
from typing import TypeVar

from edge.attention import Attention, Heard
from edge.inbox import Inbox, Message
from edge.operation.failpoint import reach
from edge.reading import Verdicts
from service.alarms.alarms import AlarmBook
from service.alarms.budgets import Budgets
from service.alarms.incidents import Incidents
from service.alarms.mutes import Mutes
from service.counters import Counters
from service.desk.replays import Replays
from service.desk.requests import Requests
from service.operation.standing import Standing
from service.pipeline.gain import Gain, counting
from service.pipeline.intake import Intake, Sorted
from service.pipeline.monitor import Columns, Monitor
from service.relays.letters import Letter
from service.relays.mqtt_sink import mqtt_sinks
from service.relays.outbox import Outbox
from service.reload.change import Change
from service.settings import IncidentSettings
from service.storage.ageing import Ageing
from service.storage.disk import Disk
from service.storage.history import HistorySettings
from service.storage.recovery import Recovery
from service.storage.store import Store
from service.storage.verdict_book import VerdictBook

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH, BATCH_BYTES = 5_000, 2 * 1024 * 1024  #: messages a transaction, at most, and their bytes
_IDLE_S = 1.0
_FIRST_RETRY_S, _LAST_RETRY_S = 0.1, 30.0


@dataclass(frozen=True, slots=True)
class Scored:
    """Verdicts that have just been committed, with the names they refer to."""

    monitor: str
    bundle: str
    streams: list[str]  #: by row
    channels: list[str]
    verdicts: Verdicts


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
        self._incident = incident
        self._mutes = Mutes(store)
        self._replays = Replays(store)
        self._outbox = outbox or Outbox(store, mqtt_sinks(monitors), counters)
        history = history or HistorySettings()
        self._verdicts = VerdictBook(store, history.verdicts)
        self._ageing = Ageing(store, history)
        self._assemble(monitors)
        self._change: Change | None = None
        self._standing = standing or Standing(counters, inbox)
        self._recovery = Recovery(store, Disk(store.path, ballast_mb * 1024 * 1024), self._standing)
        self._version = -1  # of the database, when we last looked what operators have written
        self._give_up = Event()
        self.on_turn: Callable[[float], None] = lambda _: None  #: the writer begins a step, or waits for so long, s
        self._attention = Attention(inbox, heard)
        self._ticked_ms = _monotonic_ms()
        self._thread = Thread(target=self._run, name="writer", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the writer's thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Read the streams' states from the open store and begin."""
        self._restore()
        self._recovery.start()
        self._standing.look(self._monitors)
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

    def _assemble(self, monitors: Sequence[Monitor]) -> None:
        self._monitors = monitors
        self._intake = Intake(monitors)
        self._requests = Requests(self._store, monitors)
        self._budgets = Budgets(self._store, monitors)
        self._outbox.replace(mqtt_sinks(monitors))
        incidents = Incidents(self._store, monitors, self._incident, self._outbox)
        self._alarms = AlarmBook(self._store, self._mutes, incidents, self._outbox)

    def _run(self) -> None:
        try:
            while not self._give_up.is_set() and not self._inbox.drained:
                self.on_turn(_IDLE_S)
                self._recovery.look()
                if (change := self._change) is not None and self._insist(partial(self._adopt, change)):
                    self._change = None
                    self._standing.look(self._monitors)
                    change.done.set()
                batch = self._inbox.take(BATCH, self._patience_s(), BATCH_BYTES)
                self._attention.look()
                self._commit(batch)
                if not self._give_up.is_set():
                    self._ageing.step(is_idle=not batch)
        except Exception:
            log.exception("the writer has failed; nothing is acknowledged any more")
            raise

    def _patience_s(self) -> float:
        """Return how long there is nothing to do but wait for messages."""
        return 0.0 if self._replays.pending or self._ageing.has_more else _IDLE_S

    def _commit(self, batch: list[Message]) -> None:
        """Commit a batch and have it acknowledged; return without only if told to give up."""
        scored = self._insist(lambda: self._transact(batch))
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
                    self._restore()
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

    def _adopt(self, change: Change) -> bool:
        """Let other monitors take over: what they have of their streams, and of the alarms that are open."""
        if self._monitors is not change.monitors:  # else an error came after that, and all was restored
            before = {monitor.name: monitor for monitor in self._monitors}
            gone = before.keys() - {monitor.name for monitor in change.monitors}
            with self._store.transaction():
                for name, warmed in change.warmed.items():
                    self._store.save_states(warmed.take_over(self._store.db, before[name]))
                for name in gone:
                    self._alarms.close_lost(before[name], self._store.load_streams(name))
                self._alarms.finish()
                self._outbox.settle()
            self._outbox.committed()
            self._assemble(change.monitors)
            self._restore([monitor for monitor in change.monitors if monitor is not before.get(monitor.name)])
        return True

    def _restore(self, monitors: Sequence[Monitor] | None = None) -> None:
        """Read what the database knows of some monitors, or of all."""
        self._version = -1
        self._outbox.restore()
        self._verdicts.restore()
        self._alarms.restore()
        with self._store.transaction():
            self._outbox.clear_strangers()
        for monitor in self._monitors if monitors is None else monitors:
            with self._store.transaction():
                anew = monitor.restore(self._store.load_streams(monitor.name))
                self._alarms.close_lost(monitor, anew)
                self._alarms.finish()

    def _hear(self) -> None:
        """Take in what operators have written since the last time."""
        version = self._store.version()
        if version != self._version:
            self._mutes.load()
            self._budgets.load()
            self._requests.carry_out()
            self._replays.look()
            self._version = version

    def _transact(self, batch: list[Message]) -> list[Scored]:
        """Do everything that follows from a batch in one transaction."""
        gain, began = Gain(), monotonic()
        with self._store.transaction():
            self._hear()
            replayed = self._replays.take()
            gain.replayed = len(replayed)
            result = self._intake.sort([*replayed, *batch])
            scored = [s for monitor, columns in result.readings if columns for s in self._score(monitor, columns, gain)]
            scored += self._tick(gain)
            self._alarms.finish()
            if result.letters:
                self._store.add_dead_letters(result.letters)
            self._outbox.settle()
        self._outbox.committed()
        self._count(result, gain)
        if batch:
            self._counters.batches.observe(len(batch))
            self._counters.transactions_s.observe(monotonic() - began)
        return scored

    def _score(self, monitor: Monitor, columns: Columns, gain: Gain) -> Iterator[Scored]:
        if new := monitor.new_names():
            monitor.begin(self._store.add_streams(monitor.name, new))
        gain.readings += len(columns)
        readings = monitor.readings(columns)
        with counting(monitor.engine, gain):
            verdicts = monitor.engine.feed(readings)
        monitor.heard(self._attention.ms(monitor.broker), readings.stream)
        yield from self._enter(monitor, verdicts, gain)

    def _tick(self, gain: Gain) -> Iterator[Scored]:
        """Have the monitors say what is due without a reading, at most once a second."""
        if _monotonic_ms() - self._ticked_ms < 1000 * _IDLE_S:
            return
        self._ticked_ms = _monotonic_ms()
        self._standing.look(self._monitors)
        if self._standing.is_due:
            self._store.save_standing(self._standing.as_json())
        for monitor in self._monitors:
            if monitor.ids:
                now_ms = self._attention.ms(monitor.broker)
                with counting(monitor.engine, gain):
                    verdicts = monitor.tick(now_ms)
                yield from self._enter(monitor, verdicts, gain)
                self._alarms.release_silent(monitor, monitor.silent(now_ms))

    def _enter(self, monitor: Monitor, verdicts: Verdicts, gain: Gain) -> Iterator[Scored]:
        """Store what the engine has said, and the states that it left."""
        self._store.save_states(monitor.changed_states())
        if self._recovery.stores_verdicts:
            self._verdicts.enter(monitor, verdicts)
            self._outbox.post_verdicts(monitor, verdicts)
        else:
            gain.unstored += len(verdicts)
        gain.alarms += self._alarms.enter(monitor, verdicts)
        gain.verdicts += len(verdicts)
        if len(verdicts):
            yield Scored(monitor.name, monitor.bundle.reference, monitor.names, monitor.channels, verdicts)

    def _count(self, result: Sorted, gain: Gain) -> None:
        counters = self._counters
        counters.committed += result.committed
        counters.retained += result.retained
        counters.rejects.update(letter.reason for letter in result.letters)
        gain.add_to(counters)


def _monotonic_ms() -> int:
    return int(1000 * monotonic())
