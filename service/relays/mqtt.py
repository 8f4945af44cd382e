"""The MQTT relay: alarms at QoS 1 from the outbox, verdicts at QoS 0 as they come."""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Thread

from paho.mqtt.client import MQTTMessageInfo

from edge.brokers.mqtt import Connection
from edge.operation.failpoint import reach
from service.brokers.broker import BrokerSettings
from service.pipeline.transaction import Scored
from service.relays.outbox import OutboxReader, OutboxRow
from service.relays.verdicts import verdict_messages
from service.settings import PublishSettings

log = logging.getLogger(__name__)

_MOST_UNDER_WAY = 100  # alarms published and not yet acknowledged
_MOST_WAITING = 200  # batches of verdicts not yet encoded; beyond these the oldest are dropped
_PAUSE_S = 5.0
_IDLE_S = 1.0


class MqttRelay:
    """Publishes what the writer commits; an alarm leaves the outbox when the broker has acknowledged it."""

    LONGEST_TURN_S = _IDLE_S + 2 * _PAUSE_S  #: between two calls of on_turn, when it waits

    def __init__(
        self,
        broker: BrokerSettings,
        publish: PublishSettings,
        outbox: OutboxReader,
        on_delivered: Callable[[Sequence[int]], None],
    ) -> None:
        self.on_turn: Callable[[], None] = lambda: None  #: the relay's thread came round, every few seconds
        self._publish = publish
        self._outbox = outbox
        self._on_delivered = on_delivered
        self._position = 0  # id of the newest row published
        self._under_way: dict[int, tuple[int, MQTTMessageInfo]] = {}  # mid -> id of the row
        self._reopened = False
        self._answers: deque[tuple[int, str | None]] = deque()
        self._waiting: deque[Scored] = deque(maxlen=_MOST_WAITING)
        self._posted = True  # whether there may be rows that were not read yet
        self._stopping = Event()
        self._work = Event()
        self._connection = Connection(broker, f"{broker.client_id}-relay")
        self._connection.on_open = self._opened
        self._connection.on_published = self._answered
        self._thread = Thread(target=self._run, name="mqtt-relay", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the relay's thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Connect, and publish what is still in the outbox."""
        self._connection.start()
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Publish what is there, wait for its acknowledgements as far as the time allows, and disconnect."""
        self._stopping.set()
        self._work.set()
        self._thread.join(timeout_s)
        self._connection.stop()

    def offer(self, scored: Sequence[Scored]) -> None:
        """Take over verdicts that were just committed."""
        if self._publish.verdicts and self._connection.is_open:
            self._waiting.extend(scored)
            self._work.set()

    def wake(self) -> None:
        """Look for rows that were just committed."""
        self._posted = True
        self._work.set()

    def _opened(self, _session_present: bool) -> None:
        self._reopened = True
        self.wake()

    def _answered(self, mid: int, refusal: str | None) -> None:
        # publish() holds a lock of paho's that we are within: the relay's own thread does the rest
        self._answers.append((mid, refusal))
        self.wake()

    def _run(self) -> None:
        try:
            while True:
                self._turn()
                if self._stopping.is_set() and not (self._under_way and self._connection.is_open):
                    return
        finally:
            self._outbox.close()

    def _turn(self) -> None:
        """Do what there is to do, once there is something or a while has passed."""
        if not self._work.wait(_IDLE_S):
            self._posted = True  # for what was missed
        self._work.clear()
        self.on_turn()
        try:
            self._settle()
            if self._posted:
                self._posted = False
                self._publish_alarms()
            self._publish_verdicts()
        except (sqlite3.Error, OSError) as error:
            self._posted = True
            log.warning("the outbox cannot be read: %s; trying again in %.0f s", error, _PAUSE_S)
            self._stopping.wait(_PAUSE_S)

    def _settle(self) -> None:
        """Have what was acknowledged forgotten, and begin again from the outbox if something was refused."""
        delivered = []
        refused = None
        while self._answers:
            mid, refusal = self._answers.popleft()
            if mid not in self._under_way:
                continue
            row, _ = self._under_way.pop(mid)
            if refusal is None:
                delivered.append(row)
            else:
                self._position = min(self._position, row - 1)
                refused = refusal
        delivered += self._unanswered()
        if delivered:
            self._on_delivered(delivered)
        if refused:
            log.error("the broker refuses an alarm: %s; trying again in %.0f s", refused, _PAUSE_S)
            self._stopping.wait(_PAUSE_S)

    def _unanswered(self) -> list[int]:
        """Take out, with a new connection, what was acknowledged while a callback failed that should have told us."""
        if not self._reopened:
            return []
        self._reopened = False
        mids = [mid for mid, (_, info) in self._under_way.items() if not info.rc and info.is_published()]
        return [self._under_way.pop(mid)[0] for mid in mids]

    def _publish_alarms(self) -> None:
        while self._connection.is_open and (room := _MOST_UNDER_WAY - len(self._under_way)) > 0:
            under_way = {row for row, _ in self._under_way.values()}
            rows = self._outbox.read(self._position, room)
            for row in rows:
                self._position = row.id
                if row.id not in under_way:
                    self._publish_alarm(row)
            if len(rows) < room:
                return

    def _publish_alarm(self, row: OutboxRow) -> None:
        reach("before-publish")
        info = self._connection.publish(f"{self._publish.prefix}/{row.stream}/{row.kind}", row.body, qos=1)
        reach("after-publish")
        self._under_way[info.mid] = row.id, info

    def _publish_verdicts(self) -> None:
        while self._waiting:
            scored = self._waiting.popleft()
            if self._connection.is_open and not self._connection.is_behind:
                prefix = self._publish.prefix
                self._connection.publish_all(
                    [(f"{prefix}/{name}/verdict", body) for name, body in verdict_messages(scored)]
                )
