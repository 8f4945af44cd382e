"""The agent: sources -> inbox -> engines -> one transaction -> broker, on one thread."""

import json
import logging
import signal
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from types import FrameType

from paho.mqtt.client import topic_matches_sub

from edge.agent.alarms import OpenAlarms, alarm_message
from edge.agent.counters import Counters
from edge.agent.links import Links
from edge.agent.monitor import Monitor, Reading
from edge.agent.opening import Bundles, open_monitors, open_source, source_name
from edge.agent.outbox import ALARM, VERDICT, Outbox
from edge.agent.part import Health, Part
from edge.agent.settings import Settings
from edge.agent.store import Store
from edge.attention import Attention
from edge.errors import ConfigError, ForesenseError
from edge.inbox import Inbox, Message
from edge.messages.alarm import Alarm
from edge.operation.failpoint import reach
from edge.operation.lock import InstanceLock, NameLock
from edge.operation.supervisor import Supervisor
from edge.payloads.rejects import RejectError
from edge.reading import Verdicts
from edge.receipt_clock import ReceiptClock
from edge.sources.source import Source

log = logging.getLogger(__name__)

COMMAND = "foresense edge run"
_BATCH = 1000  #: messages taken from the inbox at once
_ROOM, _ROOM_BYTES = 5_000, 8 * 1024 * 1024  # of the inbox
_MOST_UNWRITTEN = 20_000  # verdicts kept in memory while nothing can be written
_FIRST_RETRY_S, _LAST_RETRY_S = 1.0, 60.0
_LAST_WORDS_S = 2.0

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Agent:
    """Everything that a device does; it is a Host to its parts."""

    def __init__(self, path: Path, settings: Settings, parts: Sequence[Part] = ()) -> None:
        self.counters = Counters()
        self._path = path
        self._settings = settings
        self._parts = parts
        self._store = Store(settings.database)
        self._lock = InstanceLock(settings.database, COMMAND)
        self._names = [NameLock(each.address, each.client_id, COMMAND) for each in settings.connections.values()]
        self._bundles = Bundles(settings, self._store.is_proven)
        self._monitors: dict[str, Monitor] = {}
        self._sources: dict[str, Source] = {}
        self._inbox = Inbox(_ROOM, _ROOM_BYTES)
        self._clock = ReceiptClock()
        self._supervisor = Supervisor(self._status, self.counters.summary)
        self._stop = Event()
        self._read: list[Message] = []  # not acknowledged yet, as what follows from them is not committed
        self._places: dict[str, int] = {}
        self._records: dict[tuple[str, str], tuple[str, str, str, int, bytes]] = {}  # not committed yet
        self._due_s: float | None = None  # when what was read is to be committed, monotonic; None: nothing was
        self._retry_s = _FIRST_RETRY_S
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
        if monitor not in self._monitors:
            raise ConfigError(f"monitor: expected one of {', '.join(self._monitors)}, got {monitor!r}")
        before = self._monitors[monitor]
        after = self._bundles.open(monitor, path)
        self._collect()
        self._end_alarms(after, after.take_over(before))
        self._monitors[monitor] = after
        self._commit()
        self._remember_proven()
        log.info("%s: bundle %s has taken charge of %s", monitor, after.bundle.reference, before.bundle.reference)

    def health(self, monitor: str) -> Health:
        """Return how a monitor does."""
        return self._monitors[monitor].health

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
        for part in self._parts:
            part.start(self)
        monitors, problems = open_monitors(self._path, self._settings, self._bundles)
        if problems:
            raise ForesenseError("\n".join(problems))
        self._monitors = {monitor.name: monitor for monitor in monitors}
        self._links = Links(self._settings, self._inbox, self.counters, self._clock.now_ms, self._filters())
        self._outbox = Outbox(self._store, self._links.uplink, self._settings.outbox_mb << 20, self.counters)
        self._links.tell(self._answered, self._inbox.wake)
        self._attention = Attention(self._inbox, self._links.heard_ms)
        self._restore()
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
        for name in self._names:
            name.release()
        self._lock.release()

    def _work(self, each_turn: Callable[[], None]) -> None:
        turn_due = monotonic()
        while not self._stop.is_set() and not self._is_over():
            wait_s = min(turn_due, self._due_s or turn_due) - monotonic()
            batch = self._inbox.take(_BATCH, max(wait_s, 0))
            self._take(batch)
            self._inbox.done(len(batch))
            if monotonic() >= turn_due:
                turn_due = monotonic() + self._supervisor.turn_s
                self._turn()
                each_turn()
            self._deliver()

    def _turn(self) -> None:
        """Do what is due about once a second."""
        if not self._began:
            self._begin()
        self._attention.look()
        for monitor in self._monitors.values():
            if monitor.names:
                self._guarded(monitor, lambda each=monitor: each.tick(self._now_ms(each)))  # type: ignore[misc]
        for part in self._parts:
            part.turn()
        for source in self._sources.values():
            source.turn()
        self._supervisor.turn()

    def _now_ms(self, monitor: Monitor) -> int:
        """Return the monotonic time of a monitor's streams, which stands still while its broker is away."""
        if monitor.template is not None:
            return self._attention.ms(monitor.settings.broker)
        return 0 if self._inbox.waiting else int(1000 * monotonic())

    def _arrival_ms(self, monitor: Monitor) -> int:
        """Return the same of what is in hand, which came after all that is known."""
        if monitor.template is not None:
            return self._attention.ms_of_arrival(monitor.settings.broker)
        return int(1000 * monotonic())

    def _begin(self) -> None:
        """Connect and read, once the host's clock is set."""
        if not self._clock.is_set(max(monitor.created_ms for monitor in self._monitors.values())):
            return
        self._began = True
        self._clock.begin(max(monitor.newest_ms for monitor in self._monitors.values()))
        self._links.start(known=any(monitor.names for monitor in self._monitors.values()))
        places = self._store.places()
        for name, monitor in self._monitors.items():
            if monitor.template is None:
                place = places.get(source_name(name), 0)
                source = open_source(self._path.parent, monitor, self._inbox, self._clock.now_ms, place)
                self._sources[source_name(name)] = source
                source.start()

    def _take(self, batch: Sequence[Message]) -> None:
        """Read messages and have their readings scored."""
        if not batch:
            return
        readings: dict[str, list[Reading]] = {}
        for message in batch:
            if not message.retain or self._is_parts(message):
                self._sort(message, readings)
        for name, each in readings.items():
            monitor = self._monitors[name]
            self.counters.readings += len(each)
            self._guarded(monitor, lambda m=monitor, r=each: m.feed(r, self._arrival_ms(m)))  # type: ignore[misc]
        self._read += [message for message in batch if message.qos]
        self._places |= {message.source: message.mid for message in batch if not message.qos and message.mid}
        self._will_commit()
        if len(self._read) >= self._settings.unacknowledged:
            self._due_s = monotonic()

    def _sort(self, message: Message, readings: dict[str, list[Reading]]) -> None:
        """Add what a message says to the readings of its monitor."""
        monitor = self._monitor(message)
        if monitor is None:
            self._give_parts(message)
            return
        try:
            readings.setdefault(monitor.name, []).extend(monitor.read(message))
        except RejectError as error:
            self.counters.rejects[error.reason] += 1
            log.warning("%s: set aside: %s", monitor.name, error)
        if not readings.get(monitor.name):
            readings.pop(monitor.name, None)

    def _monitor(self, message: Message) -> Monitor | None:
        for monitor in self._monitors.values():
            if monitor.template is None:
                if message.source == source_name(monitor.name):
                    return monitor
            elif message.source == monitor.settings.broker and monitor.template.match(message.topic):
                return monitor
        return None

    def _is_parts(self, message: Message) -> bool:
        return any(topic_matches_sub(each, message.topic) for part in self._parts for each in part.filters)

    def _give_parts(self, message: Message) -> None:
        for part in self._parts:
            if any(topic_matches_sub(each, message.topic) for each in part.filters):
                part.on_message(message.topic, message.payload)
                self._due_s = monotonic()  # it is acknowledged with all that came before

    def _guarded(self, monitor: Monitor, score: Callable[[], Verdicts]) -> None:
        """Have readings scored, and say what follows; a monitor whose engine fails goes back to what was committed."""
        try:
            self._enter(monitor, score())
        except Exception:
            log.exception("%s: the engine has failed; its streams go on from what was committed", monitor.name)
            monitor.fails()
            self._end_alarms(monitor, monitor.restore(self._store.states(monitor.name)))

    def _enter(self, monitor: Monitor, verdicts: Verdicts) -> None:
        """Tell of verdicts, and of the alarms that they open and close."""
        if not len(verdicts):
            return
        self.counters.verdicts += len(verdicts)
        if self._settings.publish.verdicts:
            told = monitor.documents(verdicts)
            self._outbox.post(
                VERDICT, [(f"{self.prefix}/{name}/verdict", _encode(each).encode()) for name, each in told]
            )
        news = self._alarms.enter(verdicts, monitor.name, monitor.bundle, monitor.budget, monitor.names)
        for name, alarm in news:
            self._tell(monitor, name, alarm)
        self._will_commit()

    def _tell(self, monitor: Monitor, stream: str, alarm: Alarm) -> None:
        self.counters.alarms += alarm.end is None
        self._outbox.post(ALARM, [(f"{self.prefix}/{stream}/alarm", alarm_message(monitor.name, stream, alarm))])

    def _end_alarms(self, monitor: Monitor, streams: Sequence[str]) -> None:
        """End the alarms of streams that begin anew, whose state would have closed them."""
        for stream in streams:
            for name, alarm in self._alarms.end((monitor.name, stream), None):
                self._tell(monitor, name, alarm)

    # commit and delivery

    def _deliver(self) -> None:
        """Publish what may go, and commit what is due; alarms wait for a commit unless the last one failed."""
        failing = self._retry_s != _FIRST_RETRY_S
        self._outbox.settle()
        self._outbox.publish(unwritten=failing)
        if self._outbox.has_done:
            self._will_commit()
        is_due = self._due_s is not None and monotonic() >= self._due_s
        if is_due or (self._outbox.has_news and not failing):
            self._commit()
            self._outbox.publish()

    def _will_commit(self) -> None:
        """Have what there is to write written within the time that it may wait."""
        if self._due_s is None:
            self._due_s = monotonic() + self._settings.write_every_s

    def _collect(self) -> None:
        for monitor in self._monitors.values():
            self._records |= {(row[0], row[1]): row for row in monitor.changed()}

    def _commit(self) -> None:
        """Write all that follows from what was read, and acknowledge it; if that cannot be, it is tried again later."""
        self._collect()
        try:
            with self._store.transaction():
                self._store.save_states(self._records.values())
                self._store.save_alarms(self._alarms.changed.items())
                self._store.save_places(self._places.items())
                rows = self._outbox.write()
            self._outbox.written(rows)
            self._outbox.make_room()
        except sqlite3.Error as error:
            self.counters.retries += 1
            log.warning("nothing can be written: %s; trying again in %.0f s", error, self._retry_s)
            self._outbox.spare(_MOST_UNWRITTEN)
            self._outbox.publish(unwritten=True)
            self._due_s, self._retry_s = monotonic() + self._retry_s, min(2 * self._retry_s, _LAST_RETRY_S)
            return
        self.counters.commits += 1
        reach("before-acknowledge")
        self._links.acknowledge(self._read)
        reach("after-acknowledge")
        self._records, self._places, self._alarms.changed, self._read = {}, {}, {}, []
        self._due_s, self._retry_s = None, _FIRST_RETRY_S

    def _finish(self) -> None:
        """Read no more, commit, deliver what can be, and say goodbye."""
        for source in self._sources.values():
            source.stop()
        self._links.pause()
        while batch := self._inbox.take(_BATCH, 0):
            self._take(batch)
        for part in self._parts:
            part.stop()
        self._commit()
        deadline = monotonic() + _LAST_WORDS_S
        while self._outbox.is_busy and self._links.uplink.is_open and monotonic() < deadline:
            sleep(0.02)
            self._outbox.settle()
            self._outbox.publish()
        self._commit()
        self._links.stop()

    def _restore(self) -> None:
        """Begin with what is stored."""
        self._outbox.restore()
        self._alarms = OpenAlarms(self._store.alarms())
        for monitor in self._monitors.values():
            self._end_alarms(monitor, monitor.restore(self._store.states(monitor.name)))
        self._remember_proven()

    def _remember_proven(self) -> None:
        """Remember which bundles need not be tested again; if that cannot be written, they are."""
        try:
            with self._store.transaction():
                self._store.save_proven(self._bundles.proven.values())
        except sqlite3.Error as error:
            log.warning("the bundles are tested again at the next start: %s", error)

    def _filters(self) -> dict[str, list[str]]:
        filters: dict[str, list[str]] = {}
        for monitor in self._monitors.values():
            if monitor.template is not None:
                filters.setdefault(monitor.settings.broker, []).append(monitor.template.filter)
        filters.setdefault(self._settings.publish.broker, []).extend(f for part in self._parts for f in part.filters)
        return filters

    def _answered(self, mid: int, refusal: str | None) -> None:
        self._outbox.answered(mid, refusal)
        if self._outbox.is_stored:
            self._inbox.wake()  # there is more to publish, or an alarm to forget

    def _is_over(self) -> bool:
        """Whether nothing will come any more."""
        topics = any(monitor.template is not None for monitor in self._monitors.values())
        ended = self._began and not topics and all(source.is_over for source in self._sources.values())
        return ended and not self._inbox.waiting

    def _status(self) -> str:
        away = [name for name, is_open in self._links.are_open().items() if not is_open]
        where = f"waiting for {', '.join(away)}" if away else "connected"
        return f"{where}; {self.counters.readings} readings, {self._outbox.waiting} rows in the outbox"

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()
        self._inbox.wake()
