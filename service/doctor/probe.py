"""The probe: an MQTT client that does one thing after the other and tells how each ended."""

from collections.abc import Callable, Sequence
from threading import Condition
from time import monotonic
from types import TracebackType
from typing import Self

from edge.brokers.mqtt import Connection
from edge.brokers.packets import Received
from edge.errors import ForesenseError
from service.brokers.broker import BrokerSettings

_PATIENCE_S = 10.0
_SESSION_S = 600  # what a probe leaves behind if it is killed


class ProbeError(ForesenseError):
    """The broker does not do what the probe asks of it."""


class Probe:
    """A connection for the time of a `with` block; ProbeError where the broker does not answer as it should."""

    def __init__(
        self,
        broker: BrokerSettings,
        client_id: str,
        persistent: bool = False,
        session_s: int = _SESSION_S,
        takes: bool = True,  # False: what comes is not acknowledged, so the broker goes on keeping it
    ) -> None:
        self.session_present = False
        self.heard: list[tuple[str, bytes]] = []
        self._refused: list[str] | None = None
        self._answers: dict[int, str | None] = {}
        self._opened = False
        self._takes = takes
        self._changed = Condition()
        self._connection = Connection(broker, client_id, persistent, session_s=session_s)
        self._connection.on_open = self._open
        self._connection.on_subscribed = self._subscribed
        self._connection.on_published = self._published
        self._connection.on_received = self._hear

    def __enter__(self) -> Self:
        """Connect; ProbeError says why that is not possible."""
        self._connection.start()
        self._wait(lambda: self._opened or bool(self._connection.trouble), _PATIENCE_S)
        if not self._opened:
            self._connection.stop()
            raise ProbeError(self._connection.trouble or "cannot be reached: no answer")
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        """Disconnect; a session, if it was to be kept, stays for so long."""
        self._connection.stop()

    def subscribe(self, filters: Sequence[str]) -> list[str]:
        """Subscribe, and return what the broker says against it."""
        self._refused = None
        self._connection.subscribe(filters)
        self._demand(lambda: self._refused is not None, "subscribing")
        return self._refused or []

    def publish(self, topic: str, payload: bytes) -> str | None:
        """Publish with QoS 1, and return what the broker says against it; with MQTT 3.1.1 it may not say."""
        mid = self._connection.publish(topic, payload, qos=1).mid
        self._demand(lambda: mid in self._answers, "publishing")
        return self._answers[mid]

    def publish_many(self, topic: str, payloads: Sequence[bytes], timeout_s: float) -> int:
        """Publish with QoS 1, and return how many the broker has taken within the time."""
        for payload in payloads:
            self._connection.publish(topic, payload, qos=1)
        self._wait(lambda: len(self._answers) >= len(payloads), timeout_s)
        return len(self._answers)

    def listen(self, enough: Callable[[list[tuple[str, bytes]]], bool], timeout_s: float) -> bool:
        """Return whether enough was heard within the time."""
        return self._wait(lambda: enough(self.heard), timeout_s)

    def _demand(self, happened: Callable[[], bool], what: str) -> None:
        if not self._wait(happened, _PATIENCE_S):
            raise ProbeError(f"does not answer {what} within {_PATIENCE_S:g} s")

    def _wait(self, happened: Callable[[], bool], timeout_s: float) -> bool:
        # what is wrong with the connection changes without a word, so look now and then
        with self._changed:
            deadline = monotonic() + timeout_s
            while not happened() and monotonic() < deadline:
                self._changed.wait(0.1)
            return happened()

    def _open(self, session_present: bool) -> None:
        with self._changed:
            self.session_present, self._opened = session_present, True
            self._changed.notify_all()

    def _subscribed(self, refused: list[str]) -> None:
        with self._changed:
            self._refused = refused
            self._changed.notify_all()

    def _published(self, mid: int, refusal: str | None) -> None:
        with self._changed:
            self._answers[mid] = refusal
            self._changed.notify_all()

    def _hear(self, received: Sequence[Received]) -> None:
        with self._changed:
            self.heard += [(topic, payload) for _, _, topic, payload, _ in received]
            self._changed.notify_all()
        if self._takes:
            self._connection.acknowledge(self._connection.epoch, [mid for mid, qos, *_ in received if qos])
