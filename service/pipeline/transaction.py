"""The transaction: everything that follows from a batch of messages, committed at once or not at all."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

import msgspec

from edge.attention import Attention
from edge.inbox import Message
from edge.reading import Verdicts
from service.alarms.alarms import AlarmBook
from service.alarms.budgets import Budgets
from service.alarms.incidents import Incidents
from service.alarms.mutes import Mutes
from service.counters import Counters
from service.desk.replays import Replays
from service.desk.requests import Requests
from service.desk.resends import Resends
from service.operation.standing import Standing
from service.pipeline.columns import Columns
from service.pipeline.gain import Gain, counting
from service.pipeline.intake import Intake, Sorted
from service.pipeline.monitor import Monitor
from service.relays.mqtt_sink import mqtt_sinks
from service.relays.outbox import Outbox
from service.reload.change import Change
from service.settings import IncidentSettings
from service.storage.ageing import Ageing
from service.storage.history import HistorySettings
from service.storage.recovery import Recovery
from service.storage.store import Store
from service.storage.verdict_book import VerdictBook

log = logging.getLogger(__name__)

_TICK_MS = 1000  # between two looks at what is due without a reading


@dataclass(frozen=True, slots=True)
class Scored:
    """Verdicts that have just been committed, with the names they refer to."""

    monitor: str
    bundle: str
    streams: list[str]  #: by row
    channels: list[str]
    verdicts: Verdicts


class Transaction:
    """Does the writer's work on the database. After an sqlite3.Error nothing holds until `restore`."""

    def __init__(
        self,
        store: Store,
        monitors: Sequence[Monitor],
        counters: Counters,
        outbox: Outbox,
        attention: Attention,
        standing: Standing,
        recovery: Recovery,
        incident: IncidentSettings | None,
        history: HistorySettings,
    ) -> None:
        self._store = store
        self._counters = counters
        self._outbox = outbox
        self._attention = attention
        self._standing = standing
        self._recovery = recovery
        self._incident = incident
        self._mutes = Mutes(store)
        self._replays = Replays(store)
        self._resends = Resends(store, outbox)
        self._verdicts = VerdictBook(store, history.verdicts)
        self._ageing = Ageing(store, history)
        self._version = -1  # of the database, when we last looked what operators have written
        self._ticked_ms = _monotonic_ms()
        self._assemble(monitors)

    @property
    def monitors(self) -> Sequence[Monitor]:
        """Return those in force."""
        return self._monitors

    @property
    def has_more(self) -> bool:
        """Whether there is something to do at once though no message waits."""
        return self._replays.pending or self._ageing.has_more

    def restore(self, monitors: Sequence[Monitor] | None = None) -> None:
        """Read what the database knows of some monitors, or of all."""
        self._version = -1
        self._outbox.restore()
        self._verdicts.restore()
        self._ageing.restore()
        self._alarms.restore()
        with self._store.transaction():
            self._outbox.clear_strangers()
        for monitor in self._monitors if monitors is None else monitors:
            with self._store.transaction():
                anew = monitor.restore(self._store.load_streams(monitor.name))
                self._alarms.close_lost(monitor, anew)
                self._alarms.finish()

    def adopt(self, change: Change) -> bool:
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
            self.restore([monitor for monitor in change.monitors if monitor is not before.get(monitor.name)])
        return True

    def commit(self, batch: list[Message]) -> list[Scored]:
        """Do everything that follows from a batch, and return its verdicts."""
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
            self._ageing.step(is_idle=not batch)
        self._outbox.committed()
        self._count(result, gain)
        if batch:
            self._counters.batches.observe(len(batch))
            self._counters.transactions_s.observe(monotonic() - began)
        return scored

    def _assemble(self, monitors: Sequence[Monitor]) -> None:
        self._monitors = monitors
        self._intake = Intake(monitors)
        self._requests = Requests(self._store, monitors)
        self._budgets = Budgets(self._store, monitors)
        self._outbox.replace(mqtt_sinks(monitors))
        incidents = Incidents(self._store, monitors, self._incident, self._outbox)
        self._alarms = AlarmBook(self._store, self._mutes, incidents, self._outbox)

    def _hear(self) -> None:
        """Take in what operators have written since the last time."""
        version = self._store.version()
        if version != self._version:
            self._mutes.load()
            self._budgets.load()
            self._requests.carry_out()
            self._replays.look()
            self._resends.carry_out()
            self._version = version

    def _score(self, monitor: Monitor, columns: Columns, gain: Gain) -> Iterator[Scored]:
        if new := monitor.new_names():
            monitor.begin(self._store.add_streams(monitor.name, new))
        gain.readings += len(columns)
        readings = monitor.readings(columns)
        with counting(monitor, gain):
            verdicts = monitor.engine.feed(readings)
        monitor.heard(self._attention.ms_of_arrival(monitor.broker), readings.stream)
        yield from self._enter(monitor, verdicts, gain)

    def _tick(self, gain: Gain) -> Iterator[Scored]:
        """Have the monitors say what is due without a reading, at most once a second."""
        if _monotonic_ms() - self._ticked_ms < _TICK_MS:
            return
        self._ticked_ms = _monotonic_ms()
        self._standing.look(self._monitors)
        if self._standing.is_due:
            told = self._standing.tell()
            self._store.save_standing(msgspec.json.encode(told))
            self._outbox.post_health(told)
        for monitor in self._monitors:
            if monitor.ids:
                now_ms = self._attention.ms(monitor.broker)
                with counting(monitor, gain):
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
        for name, late in gain.late_of.items():
            log.warning(
                "%s: readings came too late to be used: %d; lateness_s says how long they are waited for", name, late
            )


def _monotonic_ms() -> int:
    return int(1000 * monotonic())
