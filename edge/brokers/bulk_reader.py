"""The bulk reader: paho's client, reading many messages with one call and acknowledging many with one packet.

The stock client makes four calls of the system for each message and one for each acknowledgement, which is most of
what it costs. This one takes what has come, parses PUBLISH packets of QoS 0 and 1 itself, and leaves every other
packet to paho as if it had read that. It reaches into paho, so it is used with the versions it was tested with only;
with any other the stock client reads.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from struct import error as StructError  # noqa: N812 it is a class
from typing import Any

import paho.mqtt
from paho.mqtt import MQTTException
from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge.brokers.packets import PUBACK, PUBLISH, MalformedError, Received, answer, needed, parse, pubacks, publish

TESTED = ("2.1.0", "2.2.0")  #: versions of paho-mqtt
CHUNK = 64 * 1024  #: bytes asked for at once; what takes 128 KiB or more, malloc fetches from the system each time
_MOST_UNSENT, _MOST_UNSENT_MESSAGES = 20, 5_000  # packets of the bulk client, messages of the stock client
_REFUSED = 0x80
_BUSY_S, _LULL_S = 0.0005, 0.001  # when calls follow each other so closely, there is a lull before the next

OnReceived = Callable[[Sequence[Received]], None]
OnAnswered = Callable[[int, ReasonCode | None], None]


class BulkClient(Client):
    """A client whose messages come many at a time, each once and in their order; set `on_received` before it connects.

    Acknowledgements are the caller's, as with manual_ack.
    """

    on_received: OnReceived
    on_answered: OnAnswered
    resends = False  #: what publish_each was given and a lost connection did not carry is the caller's to publish again

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unanswered: set[int] = set()
        self.on_message = self._one_received  # what paho itself has read: QoS 2
        self._rest = bytearray()  # the beginning of a packet whose end is still to come
        self._needed = 0  # bytes that packet has, as far as is known
        self._read_at = 0.0

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Send the acknowledgements of messages of QoS 1, in this order, in one go."""
        self._packet_queue(PUBACK, pubacks(mids), 0, 1)

    def publish_all(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish to topics at QoS 0, in one go; what is not sent when the connection is lost is lost."""
        v5 = self._protocol == MQTTProtocolVersion.MQTTv5
        packets = b"".join([publish(topic, payload, v5) for topic, payload in messages])
        self._packet_queue(PUBLISH, packets, 0, 1)  # as if of QoS 1: nobody waits to hear that it was sent

    def publish_each(self, messages: Sequence[tuple[str, bytes]]) -> list[int]:
        """Publish to topics at QoS 1, in one go; return the numbers by which on_answered tells what became of them."""
        v5 = self._protocol == MQTTProtocolVersion.MQTTv5
        mids = [self._mid_generate() for _ in messages]
        self._unanswered.update(mids)
        packets = [publish(topic, payload, v5, mid) for mid, (topic, payload) in zip(mids, messages, strict=True)]
        self._packet_queue(PUBLISH, b"".join(packets), 0, 1)
        return mids

    @property
    def is_behind(self) -> bool:
        """Whether much waits to be sent."""
        return len(self._out_packet) > _MOST_UNSENT

    def reconnect(self) -> MQTTErrorCode:
        """Connect anew; what was left of the connection before is forgotten."""
        self._rest, self._needed = bytearray(), 0
        self._unanswered.clear()
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002 the stock client ignores it too
        """Read what has come, and hand over the messages in it."""
        if self._sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        self._let_come()
        try:
            data = self._sock_recv(CHUNK)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            data = b""
        if not data:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        rc = self._take(data)
        return self._loop_rc_handle(rc) if rc > 0 else rc

    def _let_come(self) -> None:
        """Wait a moment if we were here just now; else we would wake for each message that a broker sends."""
        if time.monotonic() - self._read_at < _BUSY_S:
            time.sleep(_LULL_S)
        self._read_at = time.monotonic()

    def _take(self, data: bytes) -> MQTTErrorCode:
        """Handle the packets that are complete, and keep the rest."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            data = bytes(self._rest)
        v5, start = self._protocol == MQTTProtocolVersion.MQTTv5, 0
        while True:
            received: list[Received] = []
            try:
                start, other = parse(data, start, v5, received)
            except MalformedError:
                return MQTTErrorCode.MQTT_ERR_PROTOCOL
            finally:
                if received:
                    self.on_received(received)
            if other is None:
                self._rest, self._needed = bytearray(data[start:]), needed(data, start)
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            if other[0] == PUBACK and self._is_answer(other[1]):
                continue
            rc = self._handle(*other)
            if rc > 0 or self._sock is None:
                return rc

    def _is_answer(self, body: bytes) -> bool:
        """Tell of an answer to what publish_each has published; False if it is to something else."""
        try:
            mid, code = answer(body)
        except MalformedError:
            return False  # paho says what is wrong
        if mid not in self._unanswered:
            return False
        self._unanswered.discard(mid)
        self.on_answered(mid, None if code < _REFUSED else ReasonCode(PacketTypes.PUBACK, identifier=code))
        return True

    def _handle(self, header: int, body: bytes) -> MQTTErrorCode:
        """Have paho handle a packet as if it had read it."""
        self._in_packet = {
            "command": header,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        try:
            return self._packet_handle()
        except (MQTTException, StructError):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL

    def _one_received(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self.on_received([as_received(message)])


class StockClient(Client):
    """The stock client, as the bulk client is used."""

    on_received: OnReceived
    on_answered: OnAnswered  #: never called: on_publish is
    resends = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.on_message = self._one_received
        self._sent: deque[MQTTMessageInfo] = deque()

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Send the acknowledgements of messages of QoS 1, in this order."""
        for mid in mids:
            self.ack(mid, 1)

    def publish_all(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish to topics at QoS 0."""
        self._sent += [self.publish(topic, payload, 0) for topic, payload in messages]

    def publish_each(self, messages: Sequence[tuple[str, bytes]]) -> list[int]:
        """Publish to topics at QoS 1, and return the numbers by which on_publish tells what became of them."""
        return [self.publish(topic, payload, 1).mid for topic, payload in messages]

    @property
    def is_behind(self) -> bool:
        """Whether much waits to be sent."""
        while self._sent and _is_over(self._sent[0]):
            self._sent.popleft()
        return len(self._sent) > _MOST_UNSENT_MESSAGES

    def _one_received(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self.on_received([as_received(message)])


def client_class(version: str = paho.mqtt.__version__) -> type[BulkClient] | type[StockClient]:
    """Return the client to use with a version of paho."""
    return BulkClient if version in TESTED else StockClient


def as_received(message: MQTTMessage) -> Received:
    """Return a message as the bulk client hands it over."""
    try:
        topic = message.topic
    except UnicodeDecodeError:
        topic = ""
    return message.mid, message.qos, topic, bytes(message.payload), bool(message.retain)


def _is_over(info: MQTTMessageInfo) -> bool:
    """Whether a message was written to the network, or lost with its connection."""
    try:
        return info.is_published()
    except RuntimeError:
        return True
