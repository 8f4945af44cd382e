"""The bridge: announces streams to Home Assistant, tells it of their states, and takes what is done there."""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from random import Random
from threading import Event, Thread
from time import monotonic

from edge.brokers.mqtt import Connection
from edge.brokers.packets import Received
from edge.errors import ForesenseError
from edge.reading import Change
from service.desk.desk import Desk
from service.homeassistant.announced import Announced
from service.homeassistant.device import FALSE_ALARM, MUTE, Key
from service.homeassistant.facts import Facts
from service.homeassistant.orders import BY, Orders
from service.homeassistant.outlet import Outlet
from service.homeassistant.register import Register
from service.homeassistant.settings import devices_topic
from service.homeassistant.states import States
from service.pipeline.monitor import Monitor
from service.pipeline.transaction import Scored
from service.settings import Settings

log = logging.getLogger(__name__)

_BORN = b"online"  # what Home Assistant says when it is there
_MOST_DELAY_S = 5.0  # after that; many announce themselves then
_LOOK_S, _PAUSE_S, _TROUBLE_S = 1.0, 0.05, 5.0
_A_TURN = 50  # devices announced, or told of, before the other threads have their turn
_MESSAGES = 8  # at most, of a device in a turn
_MANY = 50  # transactions whose verdicts wait
_MOST_WAITING = 400  # beyond these the oldest are dropped; the next verdicts tell more anyway


class Bridge:
    """Keeps what Home Assistant knows as the database and the last verdicts have it, on a thread of its own.

    Nothing is queued for it: each turn compares what there is with what it was told, so what was missed while the
    broker was away, or this process, is made up for.
    """

    LONGEST_TURN_S = 30.0  #: between two calls of on_turn; the desk may have to wait for the writer

    def __init__(self, settings: Settings, monitors: Sequence[Monitor], random: Random | None = None) -> None:
        self.on_turn: Callable[[], None] = lambda: None  #: the bridge's thread came round
        self._settings = settings.home_assistant
        self._prefix = settings.publish.prefix
        name = settings.home_assistant_broker
        broker = settings.connections[name]
        self._facts = Facts(settings.database)
        self._states = States(self._facts, self._settings.every_s)
        self._announced = Announced(settings.database, name)
        self._orders = Orders(Desk(settings.database, BY), self._settings.mute_ms, self._facts.newest_alarm)
        self._random = random or Random()  # noqa: S311  nothing secret
        self._monitors: Mapping[str, Monitor] = {monitor.name: monitor for monitor in monitors}
        self._next: Sequence[Monitor] | None = None  # those that take over, from the bridge's next turn on
        self._followed = 0  # how often others have taken over
        self._waiting: deque[Scored] = deque(maxlen=_MOST_WAITING)
        self._received: deque[tuple[str, bytes]] = deque()
        self._opened = False
        self._stopping = Event()
        self._work = Event()
        self._connection = Connection(broker, f"{broker.client_id}-homeassistant")
        self._connection.on_open = self._open
        self._connection.on_subscribed = self._subscribed
        self._connection.on_received = self._hear
        self._outlet = Outlet(self._connection, self._announced)
        self._register = Register(self._announced, self._outlet, self._settings.prefix, self._prefix)
        self._begin_anew()
        self._thread = Thread(target=self._run, name="home-assistant", daemon=True)
        self._started = False

    @property
    def is_alive(self) -> bool:
        """Whether the bridge does what it should: its thread runs, or there is nothing to do."""
        return not self._started or self._thread.is_alive()

    def start(self) -> None:
        """Connect and announce; if it is not enabled, only to take back what was announced before."""
        self._announced.load()
        if self._announced.elsewhere:
            log.warning("%d devices stay announced to Home Assistant at another broker", self._announced.elsewhere)
        if self._settings.enabled or self._announced.known:
            self._started = True
            self._connection.start()
            self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Disconnect; what is retained stays, and the service's availability says that it is not there."""
        self._stopping.set()
        self._work.set()
        if self._started:
            self._thread.join(timeout_s)
            self._connection.stop()

    def follow(self, monitors: Sequence[Monitor]) -> None:
        """Announce the streams of these monitors from now on, and of no others."""
        self._next = monitors
        self._work.set()

    def offer(self, scored: Sequence[Scored]) -> None:
        """Take over verdicts that were just committed; only a change of an alarm is told of at once."""
        if not self._started:
            return
        self._waiting.extend(scored)
        if len(self._waiting) > _MANY or any((each.verdicts.change != Change.NONE).any() for each in scored):
            self._work.set()

    def _begin_anew(self) -> None:
        """Forget what Home Assistant was told, as it may have forgotten it."""
        self._outlet.begin_anew()
        self._register.begin_anew()
        self._seen: tuple[int, frozenset[Key]] = (-1, frozenset())
        self._problems: set[tuple[Key, str, str]] = set()  # with id and severity
        self._muted: frozenset[Key] = frozenset()
        self._changed: dict[Key, None] = {}  # to be told of at once
        self._at_s: float | None = None  # when all are announced again

    # what the network thread and others do

    def _open(self, _session_present: bool) -> None:
        base = devices_topic(self._prefix)
        self._connection.subscribe([self._settings.birth_topic, f"{base}/+/{MUTE}", f"{base}/+/{FALSE_ALARM}"])
        self._opened = True
        self._work.set()

    def _subscribed(self, refused: list[str]) -> None:
        if refused:
            log.error("the broker refuses to subscribe us to what Home Assistant sends: %s", refused[0])

    def _hear(self, received: Sequence[Received]) -> None:
        for _, _, topic, payload, retained in received:
            if not retained:  # what was said before we were here; a button is not pressed again
                self._received.append((topic, payload))
        self._connection.acknowledge(self._connection.epoch, [mid for mid, qos, *_ in received if qos])
        self._work.set()

    # what the bridge's own thread does

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self.on_turn()
                self._work.wait(_LOOK_S)
                self._work.clear()
                try:
                    self._turn()
                except (ForesenseError, sqlite3.Error, OSError) as error:
                    log.warning("Home Assistant cannot be told: %s; trying again in %.0f s", error, _TROUBLE_S)
                    self._stopping.wait(_TROUBLE_S)
        finally:
            self._facts.close()

    def _turn(self) -> None:
        """Bring Home Assistant up to date, a little at a time while there is much to tell."""
        while not self._stopping.is_set():
            self.on_turn()
            if self._opened:
                self._opened = False
                self._begin_anew()
            self._outlet.settle()
            self._obey()
            self._look()
            if not (self._connection.is_open and self._publish()):
                return
            self._stopping.wait(_PAUSE_S)

    def _obey(self) -> None:
        """Do what Home Assistant asks for."""
        while self._received:
            topic, payload = self._received.popleft()
            if topic == self._settings.birth_topic:
                if payload == _BORN:
                    self._at_s = monotonic() + self._random.uniform(0, _MOST_DELAY_S)
                continue
            *_, ident, what = topic.split("/")
            if (key := self._register.keys.get(ident)) is not None:
                self._orders.carry_out(key, what, payload)
                self._changed[key] = None  # a switch that stays as it was jumps back
        if self._at_s is not None and monotonic() >= self._at_s:
            self._at_s = None
            self._register.compare(self._register.devices, again=True)

    def _look(self) -> None:
        """Find out what is not as Home Assistant was told."""
        self._facts.look()
        if (monitors := self._next) is not None:
            self._next = None
            self._monitors = {monitor.name: monitor for monitor in monitors}
            self._followed += 1
        seen = self._followed, self._facts.streams
        if seen != self._seen:
            of = {name for name, each in self._monitors.items() if each.is_announced and self._settings.enabled}
            streams = [key for key in self._facts.streams if key[0] in of]
            self._register.compare(streams, again=seen[0] != self._seen[0])  # with other monitors, or bundles
            self._seen = seen
        while self._waiting:
            self._changed |= dict.fromkeys(self._states.take(self._waiting.popleft()))
        problems = {(key, alarm.id, alarm.severity) for key, alarm in self._facts.alarms.items()}
        self._changed |= dict.fromkeys(key for key, *_ in problems ^ self._problems)
        self._changed |= dict.fromkeys(self._facts.muted ^ self._muted)
        self._problems, self._muted = problems, self._facts.muted

    def _publish(self) -> bool:
        """Publish a part of what there is to tell, and return whether there is more."""
        register, now_s = self._register, monotonic()
        if (most := min(_A_TURN, self._outlet.room // _MESSAGES)) == 0:
            return self._connection.is_open
        register.take_back(most)
        for key in register.announce(self._monitors, most):
            self._tell(key, now_s, with_availability=True)
        self._changed = {key: None for key in self._changed if key in register.devices and key not in register.new}
        for key in list(self._changed)[:most]:
            del self._changed[key]
            self._tell(key, now_s, with_availability=True)
        due = [key for key in self._states.due(now_s) if key in register.devices and key not in register.new]
        for key in due[:most]:
            self._tell(key, now_s)
        return bool(register.gone or register.new or self._changed or len(due) > most)

    def _tell(self, key: Key, now_s: float, with_availability: bool = False) -> None:
        device, monitor = self._register.devices[key], self._monitors[key[0]]
        self._outlet.say(device.state, self._states.body(key, monitor, now_s))
        if with_availability:
            self._outlet.say(device.availability, self._states.availability(key))
