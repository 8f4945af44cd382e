"""The consumer: MQTT messages into the inbox, and their acknowledgements back."""

import logging
import time
from collections.abc import Sequence
from itertools import groupby
from threading import Event

from paho.mqtt.client import MQTTMessage

from service.counters import Counters
from service.inbox import Inbox, Message
from service.mqtt import Connection, Statement
from service.settings import BrokerSettings

log = logging.getLogger(__name__)

ONLINE, OFFLINE = b"online", b"offline"


def availability_topic(prefix: str) -> str:
    """Return where the service says, retained, whether it is there."""
    return f"{prefix}/service/availability"


class Consumer:
    """Keeps a session with the broker. Its callbacks only put messages into the inbox; nothing is read here.

    A full inbox makes the network thread wait, which slows the broker down; after half a keep-alive the
    connection is dropped instead, and the broker sends again what was not acknowledged.
    """

    def __init__(
        self, broker: BrokerSettings, prefix: str, filters: Sequence[str], inbox: Inbox, counters: Counters
    ) -> None:
        self.ready = Event()
        self._filters = filters
        self._inbox = inbox
        self._counters = counters
        self._patience_s = broker.keepalive / 2
        self._topic = availability_topic(prefix)
        self._dropped = -1  # the epoch of the connection that we gave up
        self._paused = False
        self._ever_open = False
        self._connection = Connection(broker, broker.client_id, persistent=True, will=Statement(self._topic, OFFLINE))
        self._connection.on_open = self._opened
        self._connection.on_subscribed = self._subscribed
        self._connection.on_lost = self.ready.clear
        self._connection.on_message = self._received

    def start(self) -> None:
        """Connect and subscribe, in the background."""
        self._connection.start()

    def pause(self) -> None:
        """Take no further messages over; the broker keeps them."""
        self._paused = True
        self._inbox.close()

    def stop(self) -> None:
        """Send the acknowledgements that are queued, say that we are offline, and disconnect."""
        self._paused = True
        self._connection.stop(Statement(self._topic, OFFLINE))

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages that are committed, in their order."""
        acknowledge(self._connection, messages)

    def _opened(self, session_present: bool) -> None:
        if self._ever_open and not session_present:
            log.error("the broker has forgotten our session: what was published meanwhile is lost")
        self._ever_open = True
        self._connection.subscribe(self._filters)

    def _subscribed(self, refused: list[str]) -> None:
        if refused:
            log.error("the broker refuses a subscription to %s: %s", ", ".join(self._filters), ", ".join(refused))
            return
        self.ready.set()
        log.info("ready: subscribed to %s", ", ".join(self._filters))
        self._connection.publish(self._topic, ONLINE, qos=1, retain=True)

    def _received(self, message: MQTTMessage) -> None:
        epoch = self._connection.epoch
        if self._paused or epoch == self._dropped:
            return  # unacknowledged, and so is all that follows, which keeps the order
        taken = False
        try:
            taken = self._inbox.put(as_message(message, epoch), self._patience_s)
            self._counters.received += taken
        finally:
            if not (taken or self._paused):
                self._dropped = epoch
                self._counters.refused += 1
                log.warning("a message was not taken over: dropping the connection; the broker will send again")
                self._connection.drop()


def acknowledge(connection: Connection, messages: Sequence[Message]) -> None:
    """Acknowledge messages in their order, each on the connection it came on."""
    for epoch, group in groupby(messages, lambda message: message.epoch):
        connection.acknowledge(epoch, [message.mid for message in group if message.qos])


def as_message(message: MQTTMessage, epoch: int) -> Message:
    """Return a message as it came, with the time of its receipt."""
    try:
        topic = message.topic
    except UnicodeDecodeError:
        topic = ""
    received_ms = time.time_ns() // 1_000_000
    return Message(epoch, message.mid, message.qos, topic, bytes(message.payload), message.retain, received_ms)
