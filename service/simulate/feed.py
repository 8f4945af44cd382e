"""The feed: what the plant sends, over MQTT, as its sensors would send it and when they would."""

import logging
from collections.abc import Iterable, Iterator
from math import isfinite
from threading import Condition, Event
from time import monotonic

import msgspec

from edge.brokers.mqtt import Connection
from edge.errors import ForesenseError
from edge.messages.stamp import iso
from edge.receipt_clock import wall_ms
from service.brokers.broker import BrokerSettings
from service.simulate.faults import Fault
from service.simulate.plant import Plant, Slot
from service.simulate.pumps import CHANNELS

log = logging.getLogger(__name__)

PREFIX, FAULTS_PREFIX = "plant", "simulated"
_PATIENCE_S = 30.0
_UNDER_WAY = 500  # messages that the broker may have still to take
_TURN_S = 0.2
_encode = msgspec.json.Encoder().encode


class Feed:
    """Publishes values on plant/SITE/PUMP/CHANNEL, and what is broken, retained, on simulated/SITE/PUMP/fault."""

    def __init__(self, broker: BrokerSettings, plant: Plant) -> None:
        self.messages = 0
        self._broker = broker
        self._plant = plant
        self._stop = Event()
        self._open = Event()
        self._taken = Condition()
        self._under_way = 0  # messages that the broker has not taken yet
        self._refused: str | None = None
        self._connection = Connection(broker, broker.client_id)
        self._connection.on_open = lambda _session: self._open.set()
        self._connection.on_published = self._published
        self._known: Fault | None = None

    def stop(self) -> None:
        """End run(); may be called from a signal handler."""
        self._stop.set()

    def run(self, start: int, end: int | None, speed: float) -> None:
        """Send what the plant says from `start` to before `end`, UTC epoch ms; ForesenseError without a broker.

        What has passed is sent `speed` times as fast as it came about, all else when its time has come.
        """
        self._connection.start()
        try:
            if not self._open.wait(_PATIENCE_S):
                reason = self._connection.trouble or "no answer"
                raise ForesenseError(f"--broker: expected one at {self._broker.address} that accepts us, got: {reason}")
            for slot in self._paced(self._plant.run(start), start, end, speed):
                self._tell(slot.fault)
                self._send(slot)
            self._drain(0)
        finally:
            self._connection.stop()

    def _paced(self, slots: Iterable[Slot], start: int, end: int | None, speed: float) -> Iterator[Slot]:
        """Yield slots when they are due, until the end or stop()."""
        began_s, began_ms = monotonic(), wall_ms()
        for slot in slots:
            if end is not None and slot.time >= end:
                return
            due_s = began_s + max((slot.time - start) / 1000 / speed, (slot.time - began_ms) / 1000)
            if self._stop.wait(max(due_s - monotonic(), 0)):
                return
            yield slot

    def _tell(self, fault: Fault | None) -> None:
        """Publish and log a fault as it begins, and take it back as it ends."""
        if fault == self._known:
            return
        if self._known is not None:
            log.info("%s: mended: %s", self._plant.names[self._known.pump], self._known.kind)
            self._publish(self._fault_topic(self._known), b"", retain=True)
        if fault is not None:
            log.info("%s", describe(self._plant, fault))
            self._publish(self._fault_topic(fault), _encode(as_json(self._plant, fault)), retain=True)
        self._known = fault

    def _send(self, slot: Slot) -> None:
        for name, values in zip(self._plant.names, slot.values.tolist(), strict=True):
            for channel, value in zip(CHANNELS, values, strict=True):
                if isfinite(value):
                    self._publish(f"{PREFIX}/{name}/{channel}", _encode({"time": slot.time, "value": value}))

    def _publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._drain(_UNDER_WAY - 1)
        with self._taken:
            self._under_way += 1
        self._connection.publish(topic, payload, qos=1, retain=retain)
        self.messages += 1

    def _published(self, _mid: int, refused: str | None) -> None:
        """Note that the broker has taken a message, or said why it does not; on the connection's thread."""
        with self._taken:
            self._under_way -= 1
            self._taken.notify()
        if refused != self._refused and refused is not None:
            log.warning("the broker does not let us publish: %s", refused)
        self._refused = refused

    def _drain(self, most: int) -> None:
        """Wait until no more than `most` messages are under way; while a broker is away they wait for it."""
        with self._taken:
            while self._under_way > most and not self._stop.is_set():
                self._taken.wait(_TURN_S)

    def _fault_topic(self, fault: Fault) -> str:
        return f"{FAULTS_PREFIX}/{self._plant.names[fault.pump]}/fault"


def as_json(plant: Plant, fault: Fault) -> dict[str, str | None]:
    """Return what is true of a fault, to compare alarms with."""
    channel = None if fault.channel is None else list(CHANNELS)[fault.channel]
    return {
        "stream": plant.names[fault.pump],
        "kind": str(fault.kind),
        "channel": channel,
        "start": iso(fault.start),
        "end": iso(fault.end),
    }


def describe(plant: Plant, fault: Fault) -> str:
    """Return a fault in a sentence."""
    told = as_json(plant, fault)
    where = f" of the {told['channel']} sensor" if told["channel"] else ""
    return f"{told['stream']}: {told['kind']}{where} from {told['start']} to {told['end']}"
