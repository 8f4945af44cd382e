"""The bulk reader beside the stock reader of paho, on the same bytes however they are cut, and with a real broker."""

import select
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from threading import Thread

import paho.mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from edge.brokers import mqtt
from edge.brokers.bulk_reader import TESTED, BulkClient, StockClient, client_class
from edge.brokers.mqtt import Connection
from edge.brokers.packets import MalformedError, Received, parse
from service.brokers.broker import BrokerSettings
from tests.system.conftest import Broker, World, wait_until

V3, V5 = MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5


def length(size: int) -> bytes:
    """Return a number of variable length."""
    digits = [size & 127 | 128] if size > 127 else [size]
    return bytes(digits) + (length(size >> 7) if size > 127 else b"")


def packet(header: int, body: bytes) -> bytes:
    return bytes([header]) + length(len(body)) + body


def publish(
    topic: bytes, payload: bytes, qos: int = 0, mid: int = 1, *, flags: int = 0, properties: bytes | None = None
) -> bytes:
    """Return a PUBLISH; `flags` are retain (1) and dup (8), `properties` are for v5."""
    body = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", mid) if qos else b"")
    if properties is not None:
        body += length(len(properties)) + properties
    return packet(0x30 | qos << 1 | flags, body + payload)


class Wire:
    """A client on one end of a socket pair, and what it got and sent."""

    def __init__(self, kind: type[BulkClient] | type[StockClient], protocol: MQTTProtocolVersion) -> None:
        self.received: list[Received] = []
        self.sent = b""
        self.ended: MQTTErrorCode | None = None
        self._far, near = socket.socketpair()
        self.client = kind(CallbackAPIVersion.VERSION2, "wire", protocol=protocol, manual_ack=True)
        self.client.on_received = self.received.extend
        self.client._create_socket = lambda: near  # type: ignore[method-assign]
        self.client.connect_async("localhost")
        self.client.reconnect()
        self._far.recv(1000)
        self.feed(packet(0x20, b"\x00\x00\x00" if protocol is V5 else b"\x00\x00"))

    def feed(self, data: bytes) -> None:
        """Have the client read some bytes, all of them."""
        self._far.sendall(data)
        while (sock := self.client.socket()) is not None and select.select([sock], [], [], 0)[0]:
            if rc := self.client.loop_read():
                self.ended = rc
                return
        while select.select([self._far], [], [], 0)[0] and (data := self._far.recv(65_536)):
            self.sent += data

    def close(self) -> None:
        self._far.close()
        if (sock := self.client.socket()) is not None:
            sock.close()


topics = st.one_of(st.text(min_size=1, max_size=200).map(str.encode), st.just(b"not\xffutf-8"))
mids = st.integers(1, 5)


@st.composite
def packets(draw: st.DrawFn, v5: bool) -> bytes:
    """Return something that a broker may send."""
    kind = draw(st.sampled_from(["publish"] * 6 + ["pubrel", "pingresp", "puback", "suback"]))
    mid = struct.pack("!H", draw(mids))
    match kind:
        case "pubrel":
            return packet(0x62, mid)
        case "pingresp":
            return packet(0xD0, b"")
        case "puback":
            return packet(0x40, mid)
        case "suback":
            return packet(0x90, mid + (b"\x00" if v5 else b"") + b"\x01")
    told = None
    if v5:
        expiry = draw(st.sampled_from([b"", b"\x02" + struct.pack("!I", 60)]))
        users = [(b"k", draw(st.binary(max_size=90).map(bytes.hex)).encode()) for _ in range(draw(st.integers(0, 2)))]
        told = expiry + b"".join(
            b"\x26" + struct.pack("!H", len(x)) + x + struct.pack("!H", len(y)) + y for x, y in users
        )
    return publish(
        draw(topics),
        draw(st.binary(max_size=300)),
        draw(st.sampled_from([0, 1, 1, 1, 2])),
        draw(mids),
        flags=draw(st.sampled_from([0, 0, 1, 8])),
        properties=told,
    )


@st.composite
def streams(draw: st.DrawFn) -> tuple[bool, list[bytes]]:
    """Return whether it is v5, and bytes in the pieces in which they come."""
    v5 = draw(st.booleans())
    data = b"".join(draw(st.lists(packets(v5), min_size=1, max_size=20)))
    cuts = draw(st.lists(st.integers(0, len(data)), max_size=10))
    places = [0, *sorted(cuts), len(data)]
    return v5, [data[a:b] for a, b in pairwise(places) if a < b]


@settings(max_examples=200, deadline=None)
@given(streams())
def test_it_reads_what_the_stock_client_reads_and_answers_the_same(stream: tuple[bool, list[bytes]]) -> None:
    v5, pieces = stream
    wires = [Wire(kind, V5 if v5 else V3) for kind in (BulkClient, StockClient)]
    for wire in wires:
        for piece in pieces:
            wire.feed(piece)
        wire.close()
    bulk, stock = wires
    assert bulk.received == stock.received
    assert bulk.sent == stock.sent
    assert (bulk.ended, stock.ended) == (None, None)


@pytest.mark.parametrize("protocol", [V3, V5])
def test_byte_by_byte_it_reads_the_same(protocol: MQTTProtocolVersion) -> None:
    properties = b"\x26\x00\x01k" + struct.pack("!H", 200) + b"v" * 200 if protocol is V5 else None
    wire = Wire(BulkClient, protocol)
    data = publish(b"a/b", b"x" * 200, 1, 258, flags=1, properties=properties) + packet(0xD0, b"")
    data += publish(b"c", b"", 0, properties=b"" if protocol is V5 else None)
    for place in range(len(data)):
        wire.feed(data[place : place + 1])
    wire.close()
    assert wire.received == [(258, 1, "a/b", b"x" * 200, True), (0, 0, "c", b"", False)]


@pytest.mark.parametrize(
    "data",
    [
        packet(0x32, b"\x00"),  # ends within the length of its topic
        packet(0x32, b"\x00\x05abc"),  # and here within the topic
        packet(0x32, b"\x00\x01a\x00"),  # within its number
        packet(0x30, b"\x00\x00payload"),  # no topic, which v3.1.1 does not know
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        packet(0x36, b"\x00\x01a\x00\x01"),  # QoS 3
        packet(0x62, b""),  # no number
        packet(0x00, b""),
    ],
)
def test_what_is_no_packet_ends_the_connection_after_the_messages_before_it(data: bytes) -> None:
    wire = Wire(BulkClient, V3)
    wire.feed(publish(b"a", b"1") + data + publish(b"a", b"2") * 3)
    wire.close()
    assert wire.received == [(0, 0, "a", b"1", False)]
    assert wire.ended == MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert wire.client.socket() is None


def test_properties_longer_than_their_packet_are_no_packet() -> None:
    with pytest.raises(MalformedError):
        parse(packet(0x30, b"\x00\x01a\x05"), 0, True, [])
    with pytest.raises(MalformedError):
        parse(packet(0x30, b"\x00\x01a\xff") + b"\x01" * 200, 0, True, [])


def test_a_new_connection_does_not_go_on_with_the_rest_of_the_one_before() -> None:
    wire = Wire(BulkClient, V3)
    wire.feed(publish(b"a", b"x" * 100)[:50])
    again = Wire(BulkClient, V3)
    wire.client._create_socket = again.client._create_socket  # type: ignore[method-assign]
    wire.client.reconnect()
    wire._far, again._far = again._far, wire._far
    wire._far.recv(1000)
    wire.feed(packet(0x20, b"\x00\x00") + publish(b"b", b"2"))
    wire.close()
    again.close()
    assert wire.received == [(0, 0, "b", b"2", False)]


@pytest.mark.parametrize("kind", [BulkClient, StockClient])
def test_acknowledgements_are_sent_in_their_order(kind: type[BulkClient] | type[StockClient]) -> None:
    wire = Wire(kind, V3)
    wire.client.acknowledge([3, 1, 65_535])
    wire.feed(packet(0xD0, b""))
    wire.close()
    assert wire.sent == b"\x40\x02\x00\x03\x40\x02\x00\x01\x40\x02\xff\xff"


def test_a_version_of_paho_that_it_was_not_tested_with_is_read_by_the_stock_client() -> None:
    assert client_class("2.3.0") is StockClient
    assert all(client_class(version) is BulkClient for version in TESTED)
    assert paho.mqtt.__version__ in TESTED, "the version that is installed has to be tested"


class Drip:
    """A proxy that passes single bytes from a broker on."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        broker = socket.create_connection(("127.0.0.1", self._port))
        Thread(target=_pass_on, args=(client, broker, 65_536), daemon=True).start()
        _pass_on(broker, client, 1)


def _pass_on(source: socket.socket, target: socket.socket, most: int) -> None:
    with source, target, suppress(OSError):  # the other thread may have closed them
        while data := source.recv(most):
            target.sendall(data)


@pytest.fixture
def drip(broker: Broker) -> Iterator[Drip]:
    proxy = Drip(broker.port)
    yield proxy
    proxy.close()


def test_from_a_broker_whose_bytes_come_one_by_one_all_messages_come(drip: Drip, world: World) -> None:
    received: list[Received] = []
    subscribed: list[Sequence[str]] = []
    settings = BrokerSettings.model_validate({"host": "127.0.0.1", "port": drip.port, "keepalive": 5})
    connection = Connection(settings, "drip")
    connection.on_open = lambda _session: connection.subscribe(["drip/#"])
    connection.on_subscribed = subscribed.append
    connection.on_received = received.extend
    connection.start()
    wait_until(lambda: subscribed == [[]], "subscribed")

    world.publish((f"drip/{number % 3}", str(number) * 50) for number in range(50))
    wait_until(lambda: len(received) == 50, "all messages")
    connection.acknowledge(connection.epoch, [mid for mid, *_ in received])
    connection.stop()
    assert [payload for _, _, _, payload, _ in received] == [(str(number) * 50).encode() for number in range(50)]


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
@pytest.mark.parametrize("client", [BulkClient, StockClient])
def test_each_message_of_qos_1_is_answered_and_arrives_in_order(
    protocol: int | str,
    client: type[BulkClient] | type[StockClient],
    broker: Broker,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt, "client_class", lambda: client)
    name = f"each-{protocol}-{client.__name__}"
    answers: dict[int, str | None] = {}
    settings = BrokerSettings.model_validate({"host": "127.0.0.1", "port": broker.port, "protocol": protocol})
    connection = Connection(settings, name)
    connection.on_published = answers.__setitem__
    assert connection.publish_each([("x", b"")]) is None
    world.listen(f"{name}/#")
    connection.start()
    wait_until(lambda: connection.is_open, "connected")

    mids: list[int] = []
    for first in range(0, 60, 6):
        published = connection.publish_each([(f"{name}/{k}", b"x" * k) for k in range(first, first + 6)])
        assert published is not None
        mids += published[1]
        wait_until(partial(lambda count: len(answers) == count, len(mids)), "each is answered")
    connection.stop()

    assert answers == dict.fromkeys(mids)
    wait_until(lambda: len([topic for topic, _ in world.heard if topic.startswith(name)]) == 60, "all are heard")
    assert [heard for heard in world.heard if heard[0].startswith(name)] == [
        (f"{name}/{k}", b"x" * k) for k in range(60)
    ]
    assert connection.resends == (client is StockClient)
