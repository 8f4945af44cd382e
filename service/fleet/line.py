"""The line to the fleet: what devices report and ask for, and what is said to them."""

import logging
import secrets
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from threading import Event, Lock
from typing import NamedTuple, Self

from edge.brokers.mqtt import Connection
from edge.brokers.packets import Received
from edge.errors import DataError, ForesenseError
from edge.updates.chunk import Chunk, Request
from edge.updates.report import DeviceReport
from edge.updates.topics import DEVICE, DeviceTopics
from service.brokers.broker import BrokerSettings

log = logging.getLogger(__name__)

_PATIENCE_S = 10.0
_MOST_WAITING = 10_000  # requests; a device asks again


class Asked(NamedTuple):
    """A device and what it asks for."""

    device: str
    request: Request


class Line:
    """A connection that knows the last report of each device."""

    def __init__(self, broker: BrokerSettings, prefix: str) -> None:
        self._prefix = prefix
        self._broker = broker
        self._reports: dict[str, DeviceReport] = {}
        self._lock = Lock()
        self._asked: SimpleQueue[Asked] = SimpleQueue()
        self._heard = Event()
        self._refused: list[str] = []
        any_device = DeviceTopics(prefix, "+")
        self._filters = (any_device.state, any_device.request)
        self._connection = Connection(broker, f"{broker.client_id}-fleet-{secrets.token_hex(3)}")
        self._connection.on_open = lambda _session: self._connection.subscribe(self._filters)
        self._connection.on_subscribed = self._subscribed
        self._connection.on_answer = self._heard.set
        self._connection.on_received = self._received

    def __enter__(self) -> Self:
        """Connect, and return once all retained reports are here; ForesenseError if the broker does not let us."""
        self._connection.start()
        if not self._heard.wait(_PATIENCE_S) or self._refused:
            got = ", ".join(self._refused) or self._connection.trouble or f"no answer within {_PATIENCE_S:g} s"
            self._connection.stop()
            raise ForesenseError(
                f"broker: expected leave to subscribe to {' and '.join(self._filters)} at {self._broker.address}, "
                f"got: {got}"
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.stop()

    def reports(self) -> dict[str, DeviceReport]:
        """Return the last report of each device."""
        with self._lock:
            return dict(self._reports)

    def asked(self, wait_s: float) -> Asked | None:
        """Return the next request, None if there is none within so long."""
        try:
            return self._asked.get(timeout=wait_s)
        except Empty:
            return None

    def answer(self, device: str, chunk: Chunk) -> None:
        """Send a device a part of a file."""
        self._connection.publish(self._topics(device).chunk, chunk.to_bytes(), qos=1)

    def order(self, device: str, bundle: str, message: bytes) -> None:
        """Leave a device an order, which it finds even if it is away; an empty one clears what was left."""
        self._connection.publish(self._topics(device).order(bundle), message, qos=1, retain=True)

    def _topics(self, device: str) -> DeviceTopics:
        return DeviceTopics(self._prefix, device)

    def _subscribed(self, refused: list[str]) -> None:
        self._refused = refused
        self._connection.probe()  # the answer comes after all retained reports

    def _received(self, received: Sequence[Received]) -> None:
        for _, _, topic, payload, _ in received:
            device, _, kind = topic.removeprefix(f"{self._prefix}/fleet/").rpartition("/")
            try:
                self._take(device, kind, payload)
            except DataError as error:
                log.warning("%s: %s", topic, error)
        self._connection.acknowledge(self._connection.epoch, [mid for mid, qos, *_ in received if qos])

    def _take(self, device: str, kind: str, payload: bytes) -> None:
        if not DEVICE.fullmatch(device):
            raise DataError(f"expected a name of letters, digits, '-', '_' and '.', got {device[:80]!r}")
        if kind == "request":
            if self._asked.qsize() < _MOST_WAITING:
                self._asked.put(Asked(device, Request.from_bytes(payload)))
        elif payload:
            report = DeviceReport.from_bytes(payload)
            if report.device != device:
                raise DataError(f"expected what {device} says of itself, got what {report.device!r} says")
            with self._lock:
                self._reports[device] = report
        else:
            with self._lock:
                self._reports.pop(device, None)
