"""One MQTT connection: either protocol, without delay, reconnecting by itself, and safe from its callbacks."""

import logging
import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from threading import Lock
from typing import Any, NamedTuple, ParamSpec

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.brokers.backoff import LATEST_S, LONGEST_WAIT_S
from edge.brokers.broker import Broker
from edge.brokers.bulk_reader import BulkClient, OnReceived, StockClient, client_class
from edge.brokers.link import Link
from edge.brokers.packets import Received
from edge.errors import ForesenseError
from edge.operation.failpoint import reach

log = logging.getLogger(__name__)

MOST_UNANSWERED = 65_535
SESSION_S = 30 * 86_400  #: how long the broker keeps what we miss (v5; with v3.1.1 the broker decides)
_LOOK_S = 1  # so often paho looks whether a keep-alive has passed
_FAREWELL_S = 2.0
_CONNECT_S = 3.0  # stop() may have to wait so long
_NO_SUBSCRIPTION = "foresense/no/subscription"

LONGEST_PAUSE_S = 15 + LONGEST_WAIT_S  #: between two attempts to connect, a slow one included

P = ParamSpec("P")


class Statement(NamedTuple):
    """A retained message about ourselves."""

    topic: str
    payload: bytes


class Connection:
    """Talks to the broker on a thread of its own; set the `on_...` before start().

    What is wrong is logged once, until something else is or the broker accepts us. Password and certificate
    are read anew for every connection. Each connection has an epoch: an acknowledgement belongs to the one that its
    message came on, so acknowledge() does nothing once that is lost; the broker sends the message again.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        persistent: bool = False,
        will: Statement | None = None,
        session_s: int = SESSION_S,
    ) -> None:
        self.epoch = 0
        self.most_unanswered = MOST_UNANSWERED  #: messages of QoS 1 that the broker takes before it has answered
        self._spoilt = -1  # the epoch of a connection in which a callback has failed
        self.on_open: Callable[[bool], None] = _nothing  #: whether the broker still has our session
        self.on_subscribed: Callable[[list[str]], None] = _nothing  #: what it refused, in its words
        self.on_unsubscribed: Callable[[list[str]], None] = _nothing  #: what the broker sends us no more
        self.on_lost: Callable[[], None] = _nothing
        self.on_turn: Callable[[], None] = _nothing  #: the network thread came round, as it does about once a second
        self.on_answer: Callable[[], None] = _nothing  #: to probe()
        self.on_taken_over: Callable[[], None] = _nothing  #: another client seems to have our name
        self.on_received: OnReceived = _nothing  #: messages, in their order
        self.on_published: Callable[[int, str | None], None] = _nothing  #: mid, and the reason if it was refused
        self._broker = broker
        self._client_id = client_id
        self._persistent = persistent
        self._session_s = session_s if persistent else 0
        self._will = will
        self._epoch_lock = Lock()
        self._ending: dict[int, list[str]] = {}  # subscriptions that are taken back, by mid; of this epoch
        self._link = Link(client_id, broker)
        self._tls: ssl.SSLContext | None = None
        self._client = self._new_client()

    @property
    def trouble(self) -> str:
        """Return why the broker has not accepted us, '' if it has or we do not know yet."""
        return self._link.trouble

    @property
    def is_open(self) -> bool:
        """Whether the broker has accepted us, as far as is known."""
        return self._client.is_connected()

    def start(self) -> None:
        """Begin to connect, again and again if need be; ConfigError if a file of password or TLS cannot be used."""
        broker, client = self._broker, self._client
        if broker.tls is not None:
            self._tls = broker.tls.context()
            client.tls_set_context(self._tls)
        self._identify()
        client.ws_set_options(broker.path)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=True)
        options: dict[str, Any] = {}
        if self._v5:
            options["clean_start"] = not self._persistent
            options["properties"] = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            options["properties"].SessionExpiryInterval = self._session_s
        client.connect_async(broker.host, broker.port, broker.keepalive - _LOOK_S, **options)
        client.loop_start()

    def stop(self, farewell: Statement | None = None) -> None:
        """Send what is queued, then a farewell, and disconnect."""
        if farewell is not None and self.is_open:
            info = self._client.publish(farewell.topic, farewell.payload, qos=1, retain=True)
            if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                info.wait_for_publish(_FAREWELL_S)
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, filters: Iterable[str]) -> None:
        """Subscribe with QoS 1; the answer comes to on_subscribed."""
        if self._v5:  # retained messages only where the subscription is new
            new_only = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            self._client.subscribe([(topic, new_only) for topic in filters])
        else:
            self._client.subscribe([(topic, 1) for topic in filters])

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Take subscriptions back, those that the broker has kept for the session among them.

        Those that have ended come to on_unsubscribed; if the connection is lost before, nothing is said.
        """
        if filters:
            with self._epoch_lock:  # the answer may be here before the packet's number is
                _, mid = self._client.unsubscribe(list(filters))
                if mid is not None:
                    self._ending[mid] = list(filters)

    def acknowledge(self, epoch: int, mids: Sequence[int]) -> None:
        """Acknowledge messages in this order, if they came on the connection that is open now."""
        with self._epoch_lock:
            if epoch == self.epoch and mids:
                self._client.acknowledge(mids)

    def probe(self) -> None:
        """Ask the broker for an answer, which comes to on_answer after all that it had sent us before.

        A ping would do, but the client keeps those to itself; to end a subscription that there is not does no harm.
        """
        self._client.unsubscribe(_NO_SUBSCRIPTION)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> MQTTMessageInfo:
        """Publish; with QoS 1 the answer comes to on_published."""
        return self._client.publish(topic, payload, qos, retain)

    def publish_all(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish to topics at QoS 0, without an answer."""
        self._client.publish_all(messages)

    def publish_each(self, messages: Sequence[tuple[str, bytes]]) -> tuple[int, list[int]] | None:
        """Publish to topics at QoS 1, and return the epoch of the connection and the numbers that on_published tells.

        None if there is no connection. What was published in an epoch that is over is the caller's to publish again,
        unless the client `resends` it by itself.
        """
        with self._epoch_lock:
            return (self.epoch, self._client.publish_each(messages)) if self.is_open else None

    @property
    def resends(self) -> bool:
        """Whether the client publishes again what a lost connection did not carry."""
        return self._client.resends

    @property
    def is_behind(self) -> bool:
        """Whether much of what was published at QoS 0 is not yet on the network."""
        return self._client.is_behind

    def drop(self) -> None:
        """Break the connection off, so that the broker sends again what is not acknowledged."""
        self._link.drops()
        if (sock := self._client.socket()) is not None:
            with suppress(OSError, ValueError), _raw(sock) as raw:  # it may be lost already
                raw.shutdown(socket.SHUT_RDWR)

    @property
    def _v5(self) -> bool:
        return self._broker.protocol == 5

    def _new_client(self) -> BulkClient | StockClient:
        client = client_class()(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            clean_session=None if self._v5 else not self._persistent,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            transport=self._broker.transport,
            manual_ack=True,
        )
        client.connect_timeout = _CONNECT_S
        client.reconnect_delay_set(1, LATEST_S)
        client.on_pre_connect = self._guarded(self._before)
        client.on_socket_open = self._guarded(_without_delay)
        client.on_connect = self._guarded(self._connected)
        client.on_connect_fail = self._guarded(self._not_connected)
        client.on_disconnect = self._guarded(self._disconnected)
        client.on_subscribe = self._guarded(self._subscribed)
        client.on_received = self._guarded(self._received)
        client.on_publish = self._guarded(self._published)
        client.on_answered = self._guarded(self._has_answered)
        client.loop_misc = self._turning(client.loop_misc)  # type: ignore[method-assign]
        client.on_unsubscribe = self._guarded(self._unsubscribed)
        return client

    def _guarded(self, callback: Callable[P, None]) -> Callable[P, None]:
        """Log what a callback raises, which would end the network thread, and begin anew with another connection.

        What it has not done cannot be told; but all that is not acknowledged comes again, and is subscribed to again.
        """

        @wraps(callback)
        def call(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                reach(f"callback-{callback.__name__.strip('_')}")
                callback(*args, **kwargs)
            except Exception:
                log.exception("%s: a callback of the MQTT client has failed; connecting anew", self._client_id)
                self._spoilt = self.epoch
                self.drop()

        return call

    def _turning(self, loop_misc: Callable[[], MQTTErrorCode]) -> Callable[[], MQTTErrorCode]:
        """Return what paho is to call at the end of each round of its network thread."""

        def turn() -> MQTTErrorCode:
            self.on_turn()
            return loop_misc()

        return turn

    def _identify(self) -> None:
        """Read name, password and certificate, which may have been renewed; ConfigError if one cannot be used."""
        username, password = self._broker.credentials()
        if username is not None:
            self._client.username_pw_set(username, password.get_secret_value() if password else None)
        if self._broker.tls is not None and self._tls is not None:
            self._broker.tls.identify(self._tls)

    def _before(self, _c: Client, _u: Any) -> None:
        self._link.begins()
        with self._epoch_lock:
            self.epoch += 1  # should on_disconnect have failed
        try:
            self._identify()
        except ForesenseError as error:
            self._link.keeps(error)

    def _connected(
        self, _c: Client, _u: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._link.refused(reason)
            return
        self._link.accepted()
        self.most_unanswered = getattr(properties, "ReceiveMaximum", MOST_UNANSWERED)
        self.on_open(flags.session_present)

    def _not_connected(self, _c: Client, _u: Any) -> None:
        self.on_turn()
        self._link.failed(sys.exception())  # paho calls this while it handles the error, and tells it nowhere

    def _disconnected(
        self, _c: Client, _u: Any, flags: DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        with self._epoch_lock:
            self.epoch += 1  # before the client forgets what it has queued to send
            self._ending.clear()
        by_broker = flags.is_disconnect_packet_from_server
        if not reason.is_failure and not by_broker:
            self._link.closed()
        elif (wait := self._link.ended(reason, by_broker)) is not None:
            self._client.reconnect_delay_set(*wait)
            if self._link.is_fighting:
                self.on_taken_over()
        self.on_lost()

    def _subscribed(self, _c: Client, _u: Any, _m: int, codes: list[ReasonCode], _p: Properties | None) -> None:
        self.on_subscribed([str(code) for code in codes if code.is_failure])

    def _received(self, received: Sequence[Received]) -> None:
        if self.epoch != self._spoilt:  # else they come again, after the one that was not taken over
            self.on_received(received)

    def _unsubscribed(self, _c: Client, _u: Any, mid: int, codes: list[ReasonCode], _p: Properties | None) -> None:
        with self._epoch_lock:
            filters = self._ending.pop(mid, [])
        refused = {each for each, code in zip(filters, codes, strict=False) if code.is_failure}  # v3.1.1 has no codes
        if ended := [each for each in filters if each not in refused]:
            self.on_unsubscribed(ended)
        self.on_answer()

    def _has_answered(self, mid: int, refusal: ReasonCode | None) -> None:
        self.on_published(mid, None if refusal is None else str(refusal))

    def _published(self, _c: Client, _u: Any, mid: int, reason: ReasonCode, _p: Properties | None) -> None:
        self.on_published(mid, str(reason) if reason.is_failure else None)


@contextmanager
def _raw(sock: Any) -> Iterator[socket.socket]:
    """Yield the TCP socket beneath a socket of paho's, which may be one of TLS or of a websocket."""
    raw = socket.socket(fileno=os.dup(sock.fileno()))
    try:
        yield raw
    finally:
        raw.close()


def _without_delay(_client: Client, _userdata: Any, sock: Any) -> None:
    with _raw(sock) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _nothing(*_: Any) -> None:
    pass
