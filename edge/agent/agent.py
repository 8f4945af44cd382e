"""The agent: sources -> inbox -> monitors -> one transaction -> broker, on one thread."""

import logging
import signal
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from types import FrameType

from edge.agent.alarms import OpenAlarms
from edge.agent.counters import Counters
from edge.agent.ledger import Ledger
from edge.agent.links import Links
from edge.agent.monitor import Monitor, Reading
from edge.agent.monitors import Monitors
from edge.agent.opening import Bundles, filters_of, open_monitors
from edge.agent.outbox import Outbox
from edge.agent.part import Health, Part
from edge.agent.parts import Parts
from edge.agent.settings import Settings
from edge.agent.sources import Sources
from edge.agent.store import Store
from edge.attention import Attention
from edge.errors import ConfigError, ForesenseError
from edge.inbox import Inbox, Message
from edge.operation.lock import InstanceLock, NameLock
from edge.operation.supervisor import Supervisor
from edge.receipt_clock import ReceiptClock
from edge.sources.listener import Listener

log = logging.getLogger(__name__)

COMMAND = "foresense edge run"
_BATCH = 1000  #: messages taken from the inbox at once
_ROOM, _ROOM_BYTES = 5_000, 8 * 1024 * 1024  # of the inbox
_LAST_WORDS_S = 2.0


class Agent:
    """Everything that a device does; it is a Host to its parts."""

    def __init__(self, path: Path, settings: Settings, parts: Sequence[Part] = ()) -> None:
        self.counters = Counters()
        self._path = path
        self._settings = settings
        self._parts = Parts(parts)
        self._store = Store(settings.database)
        self._lock = InstanceLock(settings.database, COMMAND)
        self._names = [NameLock(each.address, each.client_id, COMMAND) for each in settings.connections.values()]
        self._bundles = Bundles(settings, self._store.is_proven)
        self._listener = Listener()
        self._inbox = Inbox(_ROOM, _ROOM_BYTES, self._listener.wake)
        self._clock = ReceiptClock()
        self._sources = Sources(path.parent, self._inbox, self._listener, self._clock.now_ms)
        self._supervisor = Supervisor(self._status, self.counters.summary)
        self._stop = Event()
        self._began = False

    # Host, to the parts

    @property
    def device(self) -> str:
        """Return the name of this device."""
        return self._settings.name

    @property
    def prefix(self) -> str:
        """Return what the topics begin with."""
        return self._settings.publish.prefix

    @property
    def bundles(self) -> Path:
        """Return the folder of all bundles."""
        return self._settings.bundles

    @property
    def is_connected(self) -> bool:
        """Return whether what is published now is not lost, as far as is known."""
        return self._links.uplink.is_open

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish at QoS 1, where alarms are published; it is lost if there is no connection."""
        if self.is_connected:
            self._links.uplink.publish(topic, payload, 1, retain)

    def switch(self, monitor: str, path: Path) -> None:
        """Have the bundle in a folder take charge of a monitor; ConfigError or BundleError: the old one goes on."""
        if monitor not in self._settings.monitors:
            raise ConfigError(f"monitor: expected one of {', '.join(self._settings.monitors)}, got {monitor!r}")
        before = self._monitors[monitor].bundle.reference if monitor in self._monitors else ""
        after = self._bundles.open(monitor, path)
        self._ledger.collect()
        self._monitors.take_over(after)
        self._ledger.commit()
        self._remember_proven()
        log.info("%s: bundle %s takes the place of %s", monitor, after.bundle.reference, before or "none")
        if not before:
            self._links.follow(self._filters(self._monitors))
            if self._began:
                self._sources.start(self._monitors, self._store.places())

    def health(self, monitor: str) -> Health:
        """Return how a monitor does; of no bundle if it has none that can be opened."""
        return self._monitors[monitor].health if monitor in self._monitors else Health("")

    def monitors(self) -> Mapping[str, str]:
        """Return the name of the bundle that each monitor follows; one with a version of its own follows none."""
        return {name: each.bundle for name, each in self._settings.monitors.items() if "/" not in each.bundle}

    # its own life

    def start(self) -> None:
        """Take the database, open bundles and states, and connect; ForesenseError if something is not to be had."""
        self._lock.acquire()
        for name in self._names:
            name.acquire()
        self._store.open()
        if self._settings.updates is None:
            log.info("no updates are taken, and bundles need no signature, as there are no settings of updates")
        self._parts.start(self)
        monitors = self._open()
        filters = self._filters(monitors)
        self._links = Links(self._settings, self._inbox, self.counters, self._clock.now_ms, filters)
        self._outbox = Outbox(self._store, self._links.uplink, self._settings.outbox_mb << 20, self.counters)
        self._links.tell(self._answered, self._inbox.wake)
        self._attention = Attention(self._inbox, self._links.heard_ms)
        self._restore(monitors)
        self._links.watch(self._supervisor.watchdog)
        self._begin()

    def run(self, each_turn: Callable[[], None] = lambda: None) -> None:
        """Run until SIGTERM or SIGINT, or until all sources are over; `each_turn` is called about once a second."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            self.start()
            self._supervisor.started()
            self._work(each_turn)
            self._supervisor.stopping()
            self._finish()
        finally:
            self.close()
        log.info("stopped; %s", self.counters.summary())

    def close(self) -> None:
        """Give everything back."""
        self._store.close()
        self._listener.close()
        for name in self._names:
            name.release()
        self._lock.release()

    def _work(self, each_turn: Callable[[], None]) -> None:
        turn_due = monotonic()
        while not self._stop.is_set() and not self._is_over():
            wait_s = min(turn_due, self._ledger.due_s or turn_due) - monotonic()
            self._take(self._listener.listen(0 if self._inbox.queued else max(wait_s, 0)))
            if self._inbox.queued:
                batch = self._inbox.take(_BATCH, 0)
                self._take(batch)
                self._inbox.done(len(batch))
            if monotonic() >= turn_due:
                turn_due = monotonic() + self._supervisor.turn_s
                self._turn()
                each_turn()
            self._ledger.deliver()

    def _turn(self) -> None:
        """Do what is due about once a second."""
        if not self._began:
            self._begin()
        self._attention.look()
        if self._monitors.tick():
            self._ledger.will_commit()
        self._parts.turn()
        self._sources.turn()
        self._supervisor.turn()

    def _begin(self) -> None:
        """Connect and read, once the host's clock is set."""
        if not self._clock.is_set(max(monitor.bundle.manifest.created_ms for monitor in self._monitors)):
            return
        self._began = True
        self._clock.begin(max(monitor.newest_ms for monitor in self._monitors))
        self._links.start(known=any(monitor.names for monitor in self._monitors))
        self._sources.start(self._monitors, self._store.places())

    def _take(self, batch: Sequence[Message]) -> None:
        """Read messages and have their readings scored."""
        if not batch:
            return
        readings: dict[str, list[Reading]] = {}
        given = False
        for message in batch:
            if message.retain and not self._parts.want(message):
                continue
            if (monitor := self._monitors.of(message)) is None:
                given |= self._parts.give(message)
            else:
                readings.setdefault(monitor.name, []).extend(self._monitors.read(monitor, message))
        self._monitors.feed(readings)
        self._ledger.enter(batch)
        if given:
            self._ledger.hurry()  # it is acknowledged with all that came before

    def _finish(self) -> None:
        """Read no more, commit, deliver what can be, and say goodbye."""
        self._take(self._listener.listen(0))
        self._sources.stop()
        self._links.pause()
        while batch := self._inbox.take(_BATCH, 0):
            self._take(batch)
        self._parts.stop()
        self._ledger.commit()
        deadline = monotonic() + _LAST_WORDS_S
        while self._outbox.is_busy and self._links.uplink.is_open and monotonic() < deadline:
            sleep(0.02)
            self._outbox.settle()
            self._outbox.publish()
        self._ledger.commit()
        self._links.stop()

    def _open(self) -> list[Monitor]:
        """Return the monitors that can be opened; ForesenseError if none can, or if the configuration is wrong."""
        opened = open_monitors(self._path, self._settings, self._bundles)
        if not opened.is_enough:
            raise ForesenseError("\n".join(opened.problems))
        followed = self.monitors()
        for name, why in opened.unusable.items():
            instead = opened.version(name)
            log.error("%s: goes on with %s: %s", name, f"version {instead}" if instead else "no bundle", why)
            if name in followed:
                self._parts.cannot_open(followed[name], instead, why)
        return opened.monitors

    def _filters(self, monitors: Iterable[Monitor]) -> dict[str, list[str]]:
        """Return what is followed, by the name of the broker."""
        filters = filters_of(monitors)
        filters.setdefault(self._settings.publish.broker, []).extend(self._parts.filters)
        return filters

    def _restore(self, monitors: Sequence[Monitor]) -> None:
        """Begin with what is stored."""
        self._outbox.restore()
        alarms, settings, counters = OpenAlarms(self._store.alarms()), self._settings, self.counters
        self._monitors = Monitors(
            monitors, self._store, alarms, self._outbox, settings.publish, self._attention, self._is_behind, counters
        )
        self._ledger = Ledger(
            self._store, self._outbox, alarms, self._monitors.changed, self._links.acknowledge, settings, counters
        )
        self._monitors.restore()
        self._remember_proven()

    def _remember_proven(self) -> None:
        """Remember which bundles need not be tested again; if that cannot be written, they are."""
        try:
            with self._store.transaction():
                self._store.save_proven(self._bundles.proven.values())
        except sqlite3.Error as error:
            log.warning("the bundles are tested again at the next start: %s", error)

    def _answered(self, mid: int, refusal: str | None) -> None:
        self._outbox.answered(mid, refusal)
        if self._outbox.is_stored:
            self._inbox.wake()  # there is more to publish, or an alarm to forget

    def _is_behind(self) -> bool:
        """Whether there is more to be read."""
        return self._inbox.queued > 0 or self._listener.is_behind

    def _is_over(self) -> bool:
        """Whether nothing will come any more."""
        if not self._began or not self._sources.are_over:
            return False
        return all(monitor.template is None for monitor in self._monitors) and not self._inbox.waiting

    def _status(self) -> str:
        away = [name for name, is_open in self._links.are_open().items() if not is_open]
        where = f"waiting for {', '.join(away)}" if away else "connected"
        return f"{where}; {self.counters.readings} readings, {self._outbox.waiting} rows in the outbox"

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()
        self._inbox.wake()
