"""One MQTT connection: either protocol, without delay, reconnecting by itself, and safe from its callbacks."""

import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import wraps
from threading import Lock
from typing import Any, NamedTuple, ParamSpec

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from service.settings import BrokerSettings

log = logging.getLogger(__name__)

SESSION_S = 30 * 86_400  #: how long the broker keeps what we miss (v5; with v3.1.1 the broker decides)
_LONGEST_BACK_OFF_S = 30
_FAREWELL_S = 2.0
_CONNECT_S = 3.0  # stop() may have to wait so long

P = ParamSpec("P")


class Statement(NamedTuple):
    """A retained message about ourselves."""

    topic: str
    payload: bytes


class Connection:
    """Talks to the broker on a thread of its own; set the `on_...` before start().

    Each connection has an epoch. An acknowledgement belongs to the connection that its message came on,
    so acknowledge() does nothing once that one is lost: the broker sends the message again.
    """

    def __init__(
        self, broker: BrokerSettings, client_id: str, persistent: bool = False, will: Statement | None = None
    ) -> None:
        self.epoch = 0
        self.on_open: Callable[[bool], None] = _nothing  #: whether the broker still has our session
        self.on_subscribed: Callable[[list[str]], None] = _nothing  #: what it refused, in its words
        self.on_lost: Callable[[], None] = _nothing
        self.on_message: Callable[[MQTTMessage], None] = _nothing
        self.on_published: Callable[[int, str | None], None] = _nothing  #: mid, and the reason if it was refused
        self._broker = broker
        self._client_id = client_id
        self._persistent = persistent
        self._will = will
        self._epoch_lock = Lock()
        self._client = self._new_client()

    @property
    def is_open(self) -> bool:
        """Whether the broker has accepted us, as far as is known."""
        return self._client.is_connected()

    def start(self) -> None:
        """Begin to connect, again and again if need be; ConfigError if the password cannot be read."""
        broker, client = self._broker, self._client
        if broker.username is not None:
            password = broker.read_password()
            client.username_pw_set(broker.username, password.get_secret_value() if password else None)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=True)
        options: dict[str, Any] = {}
        if self._v5:
            options["clean_start"] = not self._persistent
            options["properties"] = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            options["properties"].SessionExpiryInterval = SESSION_S if self._persistent else 0
        client.connect_async(broker.host, broker.port, broker.keepalive, **options)
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

    def acknowledge(self, epoch: int, mids: Sequence[int]) -> None:
        """Acknowledge messages in this order, if they came on the connection that is open now."""
        with self._epoch_lock:
            if epoch == self.epoch:
                for mid in mids:
                    self._client.ack(mid, 1)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> MQTTMessageInfo:
        """Publish; with QoS 1 the answer comes to on_published."""
        return self._client.publish(topic, payload, qos, retain)

    def drop(self) -> None:
        """Break the connection off, so that the broker sends again what is not acknowledged."""
        if isinstance(sock := self._client.socket(), socket.socket):
            with suppress(OSError):  # it is lost already
                sock.shutdown(socket.SHUT_RDWR)

    @property
    def _v5(self) -> bool:
        return self._broker.protocol == 5

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            clean_session=None if self._v5 else not self._persistent,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.connect_timeout = _CONNECT_S
        client.reconnect_delay_set(1, _LONGEST_BACK_OFF_S)
        client.on_socket_open = _guarded(_without_delay)
        client.on_connect = _guarded(self._connected)
        client.on_connect_fail = _guarded(self._not_connected)
        client.on_disconnect = _guarded(self._disconnected)
        client.on_subscribe = _guarded(self._subscribed)
        client.on_message = _guarded(self._received)
        client.on_publish = _guarded(self._published)
        return client

    def _connected(self, _c: Client, _u: Any, flags: ConnectFlags, reason: ReasonCode, _p: Properties | None) -> None:
        if reason.is_failure:
            log.error("%s: the broker refuses us: %s", self._client_id, reason)
            return
        log.info("%s: connected to %s:%d", self._client_id, self._broker.host, self._broker.port)
        self.on_open(flags.session_present)

    def _not_connected(self, _c: Client, _u: Any) -> None:
        log.warning("%s: no broker at %s:%d; trying again", self._client_id, self._broker.host, self._broker.port)

    def _disconnected(
        self, _c: Client, _u: Any, _f: DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        with self._epoch_lock:
            self.epoch += 1  # before the client forgets what it has queued to send
        log.log(logging.WARNING if reason.is_failure else logging.INFO, "%s: disconnected: %s", self._client_id, reason)
        self.on_lost()

    def _subscribed(self, _c: Client, _u: Any, _m: int, codes: list[ReasonCode], _p: Properties | None) -> None:
        self.on_subscribed([str(code) for code in codes if code.is_failure])

    def _received(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        self.on_message(message)

    def _published(self, _c: Client, _u: Any, mid: int, reason: ReasonCode, _p: Properties | None) -> None:
        self.on_published(mid, str(reason) if reason.is_failure else None)


def _guarded(callback: Callable[P, None]) -> Callable[P, None]:
    """Log what a callback raises: it would end the network thread while the client still says it is connected."""

    @wraps(callback)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception:
            log.exception("a callback of the MQTT client has failed")

    return call


def _without_delay(_client: Client, _userdata: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _nothing(*_: Any) -> None:
    pass
