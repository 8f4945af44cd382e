"""The MQTT relay: alarms at QoS 1 from the outbox, verdicts at QoS 0 as they come."""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread
from typing import Any

import msgspec
from paho.mqtt.client import MQTTMessageInfo

from edge.quality import words
from edge.reading import Status
from edge.state import SIGNALS
from service.broker import BrokerSettings
from service.failpoint import reach
from service.messages import iso
from service.mqtt import Connection
from service.outbox import OutboxReader, OutboxRow
from service.settings import PublishSettings
from service.writer import Scored

log = logging.getLogger(__name__)

_MOST_UNDER_WAY = 100  # alarms published and not yet acknowledged
_MOST_WAITING = 200  # batches of verdicts not yet encoded; beyond these the oldest are dropped
_MOST_UNSENT = 5_000  # verdicts not yet on the network; beyond these new ones are dropped
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
        self._under_way: dict[int, int] = {}  # mid -> id
        self._answers: deque[tuple[int, str | None]] = deque()
        self._waiting: deque[Scored] = deque(maxlen=_MOST_WAITING)
        self._sent: deque[MQTTMessageInfo] = deque()
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
        self._work.set()

    def _opened(self, _session_present: bool) -> None:
        self._work.set()

    def _answered(self, mid: int, refusal: str | None) -> None:
        # publish() holds a lock of paho's that we are within: the relay's own thread does the rest
        self._answers.append((mid, refusal))
        self._work.set()

    def _run(self) -> None:
        while True:
            self._work.wait(_IDLE_S)
            self._work.clear()
            self.on_turn()
            try:
                self._settle()
                self._publish_alarms()
                self._publish_verdicts()
            except (sqlite3.Error, OSError) as error:
                log.warning("the outbox cannot be read: %s; trying again in %.0f s", error, _PAUSE_S)
                self._stopping.wait(_PAUSE_S)
            if self._stopping.is_set() and not (self._under_way and self._connection.is_open):
                return

    def _settle(self) -> None:
        """Have what was acknowledged forgotten, and begin again from the outbox if something was refused."""
        delivered = []
        refused = None
        while self._answers:
            mid, refusal = self._answers.popleft()
            if (row := self._under_way.pop(mid, None)) is None:
                continue
            if refusal is None:
                delivered.append(row)
            else:
                self._position = min(self._position, row - 1)
                refused = refusal
        if delivered:
            self._on_delivered(delivered)
        if refused:
            log.error("the broker refuses an alarm: %s; trying again in %.0f s", refused, _PAUSE_S)
            self._stopping.wait(_PAUSE_S)

    def _publish_alarms(self) -> None:
        while self._connection.is_open and (room := _MOST_UNDER_WAY - len(self._under_way)) > 0:
            under_way = set(self._under_way.values())
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
        self._under_way[info.mid] = row.id

    def _publish_verdicts(self) -> None:
        while self._waiting:
            scored = self._waiting.popleft()
            while self._sent and _is_over(self._sent[0]):
                self._sent.popleft()
            if not self._connection.is_open or len(self._sent) > _MOST_UNSENT:
                continue
            for stream, body in verdict_messages(scored):
                topic = f"{self._publish.prefix}/{stream}/verdict"
                self._sent.append(self._connection.publish(topic, body, qos=0))


def _is_over(info: MQTTMessageInfo) -> bool:
    """Whether a message was written to the network, or lost with its connection."""
    try:
        return info.is_published()
    except RuntimeError:
        return True


def verdict_messages(scored: Scored) -> Iterator[tuple[str, bytes]]:
    """Yield the stream and the JSON of each verdict."""
    verdicts = scored.verdicts
    names = ("value", "expected", "lower", "upper", "share")
    columns = [getattr(verdicts, name).tolist() for name in names]
    for i, row in enumerate(verdicts.stream.tolist()):
        values = {
            channel: {name: column[i][c] for name, column in zip(names, columns, strict=True)}
            | {"quality": words(int(verdicts.quality[i, c]))}
            for c, channel in enumerate(scored.channels)
        }
        status, most, signal = Status(verdicts.status[i]), int(verdicts.channel[i]), int(verdicts.signal[i])
        start = int(verdicts.alarm[i])
        message: dict[str, Any] = {
            "monitor": scored.monitor,
            "stream": scored.streams[row],
            "bundle": scored.bundle,
            "time": iso(int(verdicts.time[i])),
            "status": status.name.lower(),
            "anomaly": status is Status.ANOMALY,
            "score": float(verdicts.score[i]),
            "channel": None if most < 0 else scored.channels[most],
            "signal": None if signal < 0 else SIGNALS[signal],
            "once_in": float(verdicts.once_in[i]),
            "achieved": float(verdicts.achieved[i]),
            "alarm": iso(start) if start else None,
            "coverage": float(verdicts.coverage[i]),
            "ready_in": int(verdicts.ready_in[i]),
            "channels": values,
        }
        yield scored.streams[row], msgspec.json.encode(message)
