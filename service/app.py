"""The composition root: builds the parts from the settings, starts and stops them in order."""

import gc
import logging
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from types import FrameType

from edge.errors import ConfigError, ForesenseError
from edge.inbox import Inbox, Message
from edge.operation.lock import InstanceLock, NameLock
from edge.operation.logs import Format
from edge.operation.supervisor import Supervisor
from edge.operation.watchdog import Watchdog
from service.alarms.messages import sink
from service.api.process import HttpProcess
from service.api.settings import HttpSettings
from service.brokers.consumers import Consumers, Readiness
from service.brokers.subscriptions import Subscriptions
from service.configuration import read_settings
from service.counters import Counters
from service.homeassistant.bridge import Bridge
from service.notifications.opening import Notification
from service.opening import open_monitors, open_parts
from service.operation.health import Health, HealthServer
from service.operation.metrics import Metrics
from service.operation.standing import Standing
from service.pipeline.monitor import Monitor
from service.pipeline.transaction import Scored
from service.pipeline.writer import Writer
from service.registry import Registry
from service.relays.delivery import Delivery
from service.relays.mqtt import MqttRelay
from service.relays.mqtt_sink import mqtt_sinks
from service.relays.opening import ServerSink
from service.relays.outbox import Outbox, OutboxReader, OutboxRow
from service.reload.change import Change
from service.reload.reload import Reloader
from service.settings import Settings
from service.storage.access import Access
from service.storage.store import Store

log = logging.getLogger(__name__)

_DRAIN_S = 2.0
_LEAST_DRAIN_S = 0.2  # of each relay, where one before it has used up the time
_LOOK_S = 0.2
_BACKLOG = 1000  # messages in the inbox; with more, verdicts are not published
_SWITCH_S = 0.001  # how long a thread may keep the others from running
_GARBAGE = 50_000  # objects that are made before garbage is looked for; messages come by tens of thousands


class Service:
    """The whole service: consumer -> inbox -> writer -> store -> relays."""

    def __init__(
        self,
        settings: Settings,
        monitors: Sequence[Monitor],
        sinks: Sequence[ServerSink] = (),
        notifications: Sequence[Notification] = (),
    ) -> None:
        self.counters = Counters()
        self.inbox = Inbox()
        name = next(iter(settings.connections.values())).client_id
        self.standing = Standing(self.counters, self.inbox, service=name)
        self._database = settings.database
        self._store = Store(settings.database)
        self._lock = InstanceLock(settings.database)
        self._names = [NameLock(broker.address, broker.client_id) for broker in settings.connections.values()]
        outbox = Outbox(
            self._store, [*mqtt_sinks(monitors), *sinks, *(each.sink for each in notifications)], self.counters
        )
        self._writer = Writer(
            self._store, monitors, self.inbox, self.counters, self._committed,
            settings.incident, self.standing, settings.ballast_mb, outbox,
            lambda: self._consumers.heard_ms(), settings.history,
        )  # fmt: skip
        self._brokers = {
            name: MqttRelay(broker, settings.publish, OutboxReader(settings.database, name), self._writer.forget)
            for name, broker in ((sink(each), broker) for each, broker in settings.connections.items())
            if any(monitor.sink == name for monitor in monitors)
        }
        self._servers = {
            each.name: Delivery(each, OutboxReader(settings.database, each.name), self._writer.forget) for each in sinks
        }
        self._servers |= {each.sink.name: each.delivery(self._writer.forget) for each in notifications}
        self._bridge = Bridge(settings, monitors)
        outbox.on_posted = self._posted
        self._monitors = monitors
        self._sinks = {monitor.name: monitor.sink for monitor in monitors}
        self._consumers = Consumers(settings, monitors, self.inbox, self.counters)
        self._subscriptions = Subscriptions(Access(settings.database), settings.connections)
        self.standing.brokers = self._consumers.are_open
        self.standing.troubles = lambda: {name: server.trouble for name, server in self._servers.items()}
        self._supervisor = Supervisor(self._status, self._summary)
        self._watch(self._supervisor.watchdog)
        metrics = Metrics(self.standing, settings.database)
        self._answers = Health(metrics.exposition, self.is_healthy, self.ready.is_set)
        self._health = None if settings.metrics is None else HealthServer(settings.metrics, self._answers)
        self._http: HttpProcess | None = None
        self._stop = Event()
        self._ending = Event()
        self._reloader: Reloader | None = None

    @property
    def ready(self) -> Readiness:
        """Return what is set while the service is subscribed, at every broker."""
        return self._consumers.ready

    def reload_from(self, path: Path, settings: Settings, monitors: Sequence[Monitor], registry: Registry) -> None:
        """Have changes of the configuration, when asked to look, and of its bundles brought into force."""

        def open_(changed: Settings) -> tuple[list[Monitor], list[str]]:
            return open_monitors(path, changed, registry)

        def adopt(change: Change) -> bool:
            in_force = self._adopt(change)
            registry.keep(monitor.bundle for monitor in self._monitors)
            return in_force

        self._reloader = Reloader(path, settings, monitors, open_, adopt, self.standing)

    def answer_http(self, path: Path, settings: HttpSettings, log_format: Format) -> None:
        """Have dashboard and API served, as the configuration file says."""
        self._http = HttpProcess(settings, path, self._answers, self.standing, log_format)

    def start(self) -> None:
        """Take the database and the streams' states, then connect; ConfigError if something is not to be had."""
        self.standing.started_ms = time.time_ns() // 1_000_000
        self._lock.acquire()
        for name in self._names:
            name.acquire()
        if self._health is not None:
            self._health.start()
        self._store.open()
        try:
            self._writer.start()
        except sqlite3.Error as error:
            raise ForesenseError(f"{self._database}: expected a database that can be read, got: {error}") from error
        for relay in self._relays.values():
            relay.start()
        self._consumers.leave(self._subscriptions.others(self._monitors))
        self._subscriptions.remember(self._monitors)
        self._bridge.start()
        if self._http is not None:
            self._http.start()
        self._consumers.start()
        if self._reloader is not None:
            self._reloader.start()

    def stop(self) -> None:
        """Consume no more, commit and acknowledge what is there, say goodbye."""
        self._ending.set()
        if self._reloader is not None:
            self._reloader.stop(_DRAIN_S)
        self._consumers.pause()
        self._writer.stop(_DRAIN_S)
        self._consumers.stop()
        deadline = time.monotonic() + _DRAIN_S
        for relay in self._relays.values():
            relay.stop(max(_LEAST_DRAIN_S, deadline - time.monotonic()))
        self._bridge.stop(_LEAST_DRAIN_S)
        self._writer.finish()
        self.close()
        log.info("stopped; %s", self._supervisor.summary())

    def close(self) -> None:
        """Give the database and the port back."""
        for server in (self._health, self._http):
            if server is not None:
                server.stop()
        self._store.close()
        for name in self._names:
            name.release()
        self._lock.release()

    def run(self, each_turn: Callable[[], None]) -> bool:
        """Serve until SIGTERM or SIGINT, calling `each_turn` about once a second; return whether that ended it."""
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._on_signal)
        if self._reloader is not None:
            signal.signal(signal.SIGHUP, lambda _number, _frame: self._reload())
        sys.setswitchinterval(_SWITCH_S)
        gc.freeze()
        gc.set_threshold(_GARBAGE)
        self.start()
        self._supervisor.started()
        while not self._stop.wait(self._supervisor.turn_s) and self.is_healthy():
            self._supervisor.turn()
            self._consumers.turn()
            self._subscriptions.forget(self._consumers.left())
            each_turn()
        healthy = self.is_healthy()
        self._supervisor.stopping()
        self.stop()
        return healthy

    def is_healthy(self) -> bool:
        """Whether all threads that must run do."""
        relays = [*self._relays.values(), self._bridge]
        return self._writer.is_alive and all(relay.is_alive for relay in relays)

    @property
    def _relays(self) -> Mapping[str, MqttRelay | Delivery]:
        """Return the relays by the names of their sinks."""
        return {**self._brokers, **self._servers}

    def _watch(self, watchdog: Watchdog) -> None:
        self._writer.on_turn = watchdog.heart("writer").beat
        for name, broker in self._brokers.items():
            broker.on_turn = watchdog.heart(f"relay {name}", MqttRelay.LONGEST_TURN_S).beat
        for name, server in self._servers.items():
            server.on_turn = watchdog.heart(f"relay {name}").beat
        self._bridge.on_turn = watchdog.heart("bridge to Home Assistant", Bridge.LONGEST_TURN_S).beat
        self._consumers.watch(watchdog)

    def _reload(self) -> None:
        if self._reloader is not None:
            self._reloader.ask()

    def _adopt(self, change: Change) -> bool:
        """Bring other monitors into force, and return whether they are; ConfigError if that takes a restart."""
        if lost := {monitor.sink for monitor in change.monitors} - self._relays.keys():
            raise ConfigError(
                f"publish: expected no new broker while the service runs, got {', '.join(lost)}: restart it"
            )
        topics = {(monitor.broker, monitor.template.filter) for monitor in change.monitors}
        going_on = [each for each in self._monitors if (each.broker, each.template.filter) in topics]
        self._consumers.follow(going_on)  # so that what is not watched any more is not set aside
        self._sinks = self._sinks | {monitor.name: monitor.sink for monitor in change.monitors}
        self._writer.replace(change)
        while not change.done.wait(_LOOK_S):
            if self._ending.is_set():
                return False
        self._monitors = change.monitors
        self._subscriptions.remember(change.monitors)
        self._bridge.follow(change.monitors)
        self._consumers.follow(change.monitors)
        if self._http is not None:
            self._http.reload()
        return True

    def _status(self) -> str:
        away = [name for name, is_open in self.standing.brokers().items() if not is_open]
        where = "subscribed" if self.ready.is_set() else f"waiting for {', '.join(away) or 'a subscription'}"
        return f"{where}; {self.counters.committed} messages committed, {self.inbox.in_flight} in flight"

    def _summary(self) -> str:
        return self.counters.summary(self.inbox.in_flight)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _posted(self, sink: str, rows: Sequence[OutboxRow]) -> None:
        if broker := self._brokers.get(sink):
            broker.tell(rows)
        else:
            self._servers[sink].wake()

    def _committed(self, messages: Sequence[Message], scored: list[Scored]) -> None:
        self._consumers.acknowledge(messages)
        if self._http is not None:
            self._http.offer(scored)
        if self.inbox.waiting > _BACKLOG:
            scored = []  # what is stored late need not be told at all; alarms are told always
        for name, relay in self._brokers.items():
            relay.offer([each for each in scored if self._sinks[each.monitor] == name])
        self._bridge.offer(scored)


def build(path: Path, log_format: Format = "text") -> Service:
    """Return the service that a configuration file describes; ForesenseError if it cannot be."""
    settings = read_settings(path)
    registry = Registry(settings.bundles)
    opened = open_parts(path, settings, registry)
    if opened.problems:
        raise ForesenseError("\n".join(opened.problems))
    service = Service(settings, opened.monitors, opened.sinks, opened.notifications)
    service.reload_from(path, settings, opened.monitors, registry)
    if settings.http is not None:
        service.answer_http(path, settings.http, log_format)
    return service
