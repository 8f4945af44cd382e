"""The MQTT relay: alarms at QoS 1 from the outbox, verdicts at QoS 0 as they come."""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from threading import Event, Lock, Thread

from edge.brokers.mqtt import Connection
from edge.operation.failpoint import reach
from service.brokers.broker import BrokerSettings
from service.pipeline.transaction import Scored
from service.relays.outbox import OutboxReader, OutboxRow
from service.relays.verdicts import verdict_messages
from service.settings import PublishSettings

log = logging.getLogger(__name__)

_MOST_UNDER_WAY = 100  # alarms published and not yet acknowledged
_MOST_WAITING = 200_000  # verdicts not yet encoded; beyond these the oldest are dropped
_LULL_S = 0.01  # verdicts that come meanwhile are sent together, which disturbs the writer less often
_MOST_AT_ONCE = 1000  # verdicts in one write to the network
_PAUSE_S = 5.0
_IDLE_S = 1.0
_BEHIND = -1


class MqttRelay:
    """Publishes what the writer commits; an alarm leaves the outbox when the broker has acknowledged it.

    The writer itself publishes an alarm, right after its commit, if all before it are on their way. Else the relay's
    thread reads it from the outbox, as it does after a start, and when there was no connection or too many were
    under way.
    """

    LONGEST_TURN_S = _IDLE_S + 2 * _PAUSE_S  #: between two calls of on_turn, when it waits

    def __init__(
        self,
        broker: BrokerSettings,
        publish: PublishSettings,
        outbox: OutboxReader,
        on_delivered: Callable[[Sequence[int]], None],
    ) -> None:
        self.on_turn: Callable[[], None] = lambda: None  #: the relay's thread came round, every few seconds
        self._prefix = publish.prefix
        self._tells_verdicts = publish.verdicts
        self._outbox = outbox
        self._on_delivered = on_delivered
        self._lock = Lock()  # of the next four
        self._position = 0  # id of the newest row published
        self._under_way: dict[int, tuple[OutboxRow, int]] = {}  # by mid, with the epoch of the connection
        self._again: list[OutboxRow] = []  # refused, or not carried by a connection that was lost
        self._even = (
            _BEHIND  # epoch of the connection on which all rows are published; anyone may say that they are not
        )
        self._answers: deque[tuple[int, str | None]] = deque()
        self._waiting: deque[Scored] = deque()
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
        if scored and self._tells_verdicts and self._connection.is_open:
            self._waiting.extend(scored)
            while sum(len(each.verdicts) for each in list(self._waiting)) > _MOST_WAITING and len(self._waiting) > 1:
                self._waiting.popleft()
            self._work.set()

    def tell(self, rows: Sequence[OutboxRow]) -> None:
        """Publish rows that were just committed, all there are since the last call; none: look which there are."""
        if not (rows and self._lock.acquire(blocking=False)):
            self._look()
            return
        try:
            new = [row for row in rows if row.id > self._position]  # the outbox may have been read since the commit
            if self._even != self._connection.epoch or len(new) > self._room or not self._publish(new):
                self._look()
            else:
                self._position = rows[-1].id
        finally:
            self._lock.release()

    def _look(self) -> None:
        self._even = _BEHIND
        self._work.set()

    def _opened(self, _session_present: bool) -> None:
        self._look()

    def _answered(self, mid: int, refusal: str | None) -> None:
        # the stock client holds a lock meanwhile that publishing takes: the relay's own thread does the rest
        self._answers.append((mid, refusal))
        self._work.set()

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
            self._even = _BEHIND  # for what was missed
        self._work.clear()
        self.on_turn()
        with self._lock:
            delivered, refusal = self._settle()
        if delivered:
            self._on_delivered(delivered)
        if refusal is not None:
            log.error("the broker refuses an alarm: %s; trying again in %.0f s", refusal, _PAUSE_S)
            self._pause()
        try:
            self._catch_up()
        except (sqlite3.Error, OSError) as error:
            log.warning("the outbox cannot be read: %s; trying again in %.0f s", error, _PAUSE_S)
            self._pause()
        self._publish_verdicts()

    def _pause(self) -> None:
        """Wait before the next try; the writer publishes nothing meanwhile."""
        self._look()
        self._stopping.wait(_PAUSE_S)

    def _settle(self) -> tuple[list[int], str | None]:
        """Take out what was answered; return the ids of rows that are delivered, and why one was refused if any was."""
        delivered, refused = [], None
        while self._answers:
            mid, refusal = self._answers.popleft()
            if (found := self._under_way.pop(mid, None)) is None:
                continue
            if refusal is None:
                delivered.append(found[0].id)
            else:
                self._again.append(found[0])
                self._even, refused = _BEHIND, refusal
        if not self._connection.resends:
            lost = [mid for mid, (_, epoch) in self._under_way.items() if epoch != self._connection.epoch]
            self._again += [self._under_way.pop(mid)[0] for mid in lost]
        return delivered, refused

    @property
    def _room(self) -> int:
        return min(_MOST_UNDER_WAY, max(self._connection.most_unanswered // 2, 1)) - len(self._under_way)

    def _catch_up(self) -> None:
        """Publish what waits, oldest first, as far as may be; the writer goes on from there if that is all."""
        if self._even != _BEHIND:
            return
        with self._lock:
            self._even = self._connection.epoch  # what is committed from now on is told, or has us look once more
            is_all = False
            try:
                is_all = self._publish_again() and self._publish_unread()
            finally:
                if not is_all:
                    self._even = _BEHIND

    def _publish_again(self) -> bool:
        """Publish what has to be once more, and return whether that is all."""
        self._again.sort()
        while self._again and (room := self._room) > 0 and self._publish(self._again[:room]):
            del self._again[:room]
        return not self._again

    def _publish_unread(self) -> bool:
        """Publish the rows of the outbox after the newest that was, and return whether that is all."""
        while (room := self._room) > 0 and self._connection.is_open:
            rows = self._outbox.read(self._position, room)
            if not self._publish(rows):
                return False
            self._position = rows[-1].id if rows else self._position
            if len(rows) < room:
                return True
        return False

    def _publish(self, rows: Sequence[OutboxRow]) -> bool:
        """Publish rows, if there are any, and return whether there was a connection to do that."""
        if not rows:
            return True
        reach("before-publish")
        messages = [(f"{self._prefix}/{row.stream}/{row.kind}", row.body) for row in rows]
        published = self._connection.publish_each(messages)
        reach("after-publish")
        if published is None:
            return False
        epoch, mids = published
        self._under_way.update(zip(mids, [(row, epoch) for row in rows], strict=True))
        return True

    def _publish_verdicts(self) -> None:
        """Publish the verdicts that wait, and let others gather."""
        if not self._waiting:
            return
        reach("before-verdicts")
        messages = chain.from_iterable(map(verdict_messages, self._taken()))
        while some := list(islice(messages, _MOST_AT_ONCE)):
            if self._connection.is_open and not self._connection.is_behind:
                self._connection.publish_all([(f"{self._prefix}/{name}/verdict", body) for name, body in some])
        self._stopping.wait(_LULL_S)

    def _taken(self) -> Iterator[Scored]:
        while self._waiting:
            yield self._waiting.popleft()
