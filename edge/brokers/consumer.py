"""The consumer: MQTT messages into the inbox, and their acknowledgements back."""

import logging
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from threading import Event, Lock
from typing import Protocol

from edge.brokers.broker import Broker
from edge.brokers.mqtt import LONGEST_PAUSE_S, Connection, Statement
from edge.brokers.packets import Received
from edge.inbox import Inbox, Message
from edge.operation.watchdog import Watchdog
from edge.receipt_clock import wall_ms

log = logging.getLogger(__name__)

_counting = Lock()  # the consumers of several brokers share the counters
_ASK_MS = 500  # so often the broker is asked for a sign of life, at most
ONLINE, OFFLINE = b"online", b"offline"


class Client(Broker, Protocol):
    """A broker, and who we are there."""

    @property
    def client_id(self) -> str:
        """Return the name of our session."""


class Traffic(Protocol):
    """What a consumer counts; its own alone."""

    received: int  #: messages taken over from the broker
    refused: int  #: messages not taken over, as when the inbox is full; the broker sends them again
    sessions_lost: int  #: times a broker had forgotten our session; what was published meanwhile is lost
    takeovers: int  #: times another client has taken our session over


class Consumer:
    """Keeps a session with one broker. Its callbacks only put messages into the inbox; nothing is read here.

    A full inbox makes the network thread wait, which slows the broker down; after half a keep-alive the
    connection is dropped instead, and the broker sends again what was not acknowledged.
    """

    def __init__(
        self,
        broker: Client,
        topic: str,  # where we say, retained, whether we are there
        filters: Sequence[str],  # none: it only says that we are there
        inbox: Inbox,
        counters: Traffic,
        source: str = "",
        now_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self.ready = Event()
        self._broker = broker
        self._source = source
        self._now_ms = now_ms
        self._filters = filters
        self._unwanted: list[str] = []  # followed before, until the broker says that it has ended
        self._left: list[str] = []
        self._leaving = Lock()  # of these two
        self._inbox = inbox
        self._counters = counters
        self._patience_s = broker.keepalive / 2
        self._topic = topic
        self._dropped = -1  # the epoch of the connection that we gave up
        self._paused = False
        self._known = False  # the broker should have a session of ours
        self._connection = Connection(broker, broker.client_id, persistent=True, will=Statement(self._topic, OFFLINE))
        self._connection.on_open = self._opened
        self._connection.on_subscribed = self._subscribed
        self._connection.on_unsubscribed = self._unsubscribed
        self._asked_ms: int | None = None  # when we asked the broker for an answer that is still to come
        self._heard_ms: int | None = None  # when we asked for the last answer that came; monotonic
        self._connection.on_lost = self._lost
        self._connection.on_answer = self._answered
        self._connection.on_taken_over = self._taken_over
        self._connection.on_received = self._received
        self._beat: Callable[[], None] = self._connection.on_turn

    def watch(self, watchdog: Watchdog) -> None:
        """Have the network thread watched; it may wait for the full inbox, and between attempts to connect."""
        heart = watchdog.heart(f"network thread of {self.address}", self._patience_s + LONGEST_PAUSE_S)
        self._beat = self._connection.on_turn = heart.beat

    @property
    def address(self) -> str:
        """Return where the broker is."""
        return self._broker.address

    @property
    def is_open(self) -> bool:
        """Whether the broker has accepted us, as far as is known."""
        return self._connection.is_open

    def start(self, known: bool = False) -> None:
        """Connect and subscribe, in the background; `known`: we have been here before, in another process."""
        self._known = known
        self._connection.start()

    def pause(self) -> None:
        """Take no further messages over; the broker keeps them."""
        self._paused = True
        self._inbox.close()

    def stop(self) -> None:
        """Send the acknowledgements that are queued, say that we are offline, and disconnect."""
        self._paused = True
        self._connection.stop(Statement(self._topic, OFFLINE))

    def follow(self, filters: Sequence[str]) -> None:
        """Subscribe to other topics from now on; those that go on are not interrupted."""
        old, self._filters = self._filters, filters
        with self._leaving:
            self._unwanted = [each for each in {*self._unwanted, *old} if each not in filters]
        if self.is_open:
            self._take_back()
            if new := [each for each in filters if each not in old]:
                self._connection.subscribe(new)

    def leave(self, filters: Sequence[str]) -> None:
        """Unsubscribe, with the next connection, from what an earlier process had followed."""
        with self._leaving:
            self._unwanted += [each for each in filters if each not in (*self._unwanted, *self._filters)]

    def left(self) -> list[str]:
        """Return what we have been unsubscribed from since the last call, as the broker has acknowledged."""
        with self._leaving:
            left, self._left = self._left, []
        return left

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages that are committed, in their order."""
        acknowledge(self._connection, messages)

    @property
    def connection(self) -> Connection:
        """Return the connection, for those who publish on it as well."""
        return self._connection

    def ask(self, topic: str, payload: bytes) -> None:
        """Publish what is asked of a device, once; it is lost if there is no connection."""
        self._connection.publish(topic, payload, qos=0)

    def heard_ms(self) -> int | None:
        """Return until when (monotonic) all that the broker had for us has come, and ask it again.

        None while that is unknown: no connection, or no answer yet.
        """
        now_ms = int(1000 * time.monotonic())
        if not self.ready.is_set():
            return None
        if self._asked_ms is None and now_ms - (self._heard_ms or 0) >= _ASK_MS:
            self._asked_ms = now_ms
            self._connection.probe()
        return self._heard_ms

    def _answered(self) -> None:
        if self._asked_ms is not None:
            self._heard_ms, self._asked_ms = self._asked_ms, None

    def _lost(self) -> None:
        self.ready.clear()
        self._heard_ms = self._asked_ms = None

    def _opened(self, session_present: bool) -> None:
        if self._known and not session_present:
            log.error(
                "the broker at %s has forgotten our session (client_id %s): what was published meanwhile is lost; "
                "it needs persistence, and a client_id that stays", self._broker.address, self._broker.client_id,
            )  # fmt: skip
            with _counting:
                self._counters.sessions_lost += 1
        self._known = True
        self._take_back()
        if self._filters:
            self._connection.subscribe(self._filters)
        else:
            self._subscribed([])

    def _take_back(self) -> None:
        """Unsubscribe from what is not followed any more."""
        self._connection.unsubscribe(self._unwanted)

    def _unsubscribed(self, filters: list[str]) -> None:
        with self._leaving:
            self._unwanted = [each for each in self._unwanted if each not in filters]
            self._left += filters

    def _subscribed(self, refused: list[str]) -> None:
        if refused:
            filters = ", ".join(self._filters)
            log.error("the broker at %s refuses to subscribe us to %s: %s", self._broker.address, filters, refused[0])
            return
        self._heard_ms = self._asked_ms = None
        self.ready.set()
        log.info("ready: subscribed to %s", ", ".join(self._filters) or "nothing")
        self._connection.publish(self._topic, ONLINE, qos=1, retain=True)

    def _received(self, received: Sequence[Received]) -> None:
        epoch = self._connection.epoch
        if self._paused or epoch == self._dropped:
            return  # unacknowledged, and so is all that follows, which keeps the order
        taken = 0
        self._beat()
        try:
            taken = self._inbox.put(as_messages(received, epoch, self._source, self._now_ms()), self._patience_s)
            with _counting:
                self._counters.received += taken
        finally:
            if taken < len(received) and not self._paused:
                self._dropped = epoch
                with _counting:
                    self._counters.refused += len(received) - taken
                log.warning("messages were not taken over: dropping the connection; the broker will send again")
                self._connection.drop()

    def _taken_over(self) -> None:
        with _counting:
            self._counters.takeovers += 1


def acknowledge(connection: Connection, messages: Sequence[Message]) -> None:
    """Acknowledge messages in their order, each on the connection it came on."""
    for epoch, group in groupby(messages, lambda message: message.epoch):
        connection.acknowledge(epoch, [message.mid for message in group if message.qos])


def as_messages(received: Sequence[Received], epoch: int, source: str, now_ms: int) -> list[Message]:
    """Return messages as they came, with the time of their receipt (UTC epoch ms) and the name of their broker."""
    new = tuple.__new__  # Message() itself takes twice as long
    return [new(Message, (epoch, *one, now_ms, source)) for one in received]
