"""Sparkplug B: births tell what aliases mean, data uses them; topics `NAMESPACE/GROUP/TYPE/NODE[/DEVICE]`."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from edge.payloads.payload import ANYWHERE, LARGEST_PAYLOAD, Run
from edge.payloads.rejects import Reason, RejectError
from edge.payloads.timestamps import within
from edge.topics import Match
from service.payloads import protobuf
from service.payloads.births import Births, Metric, Node
from service.payloads.compression import expand
from service.payloads.gathering import Gathering, Naming

log = logging.getLogger(__name__)

PATIENCE_S = 30.0  #: until a node is asked again
_MOST_ASKED = 10_000
_BOOLEAN = 11
_BITS = {1: 8, 2: 16, 3: 32, 4: 64}  # of the signed integers, by datatype; they are sent as unsigned ones
_COMPRESSED = "SPBV1.0_COMPRESSED"
_BIRTHS, _DEATHS = frozenset({"NBIRTH", "DBIRTH"}), frozenset({"NDEATH", "DDEATH"})
_DATA, _COMMANDS = frozenset({"NDATA", "DDATA"}), frozenset({"NCMD", "DCMD"})
_NO_SENSORS = ("bdSeq", "Node Control/", "Device Control/")  # how such names begin

Ask = Callable[[str, bytes], None]  #: publishes: topic, payload


class SparkplugPayload:
    """Takes each numeric metric as a channel of its name.

    An alias that no birth has told makes the message a reject, and the node is asked for its birth; so it is when
    messages are missing. Values without an alias need no birth.
    """

    def __init__(self, fields: Mapping[str, str], ask: Ask, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.missing = 0  #: messages that never came, by their numbers
        self._naming = Naming(fields)
        self._ask = ask
        self._clock_s = clock_s
        self._births = Births()
        self._asked: OrderedDict[str, float] = OrderedDict()  # when, by node

    def parse(self, payload: bytes, _channel: str, match: Match = ANYWHERE, /) -> list[Run]:
        """Return the values of a birth or of data; there are none in what else nodes say."""
        space, group, kind, node_id, device = _read_topic(match.topic)
        if kind in _COMMANDS:
            return []
        message, name = _read(payload), f"{space}/{group}/{node_id}"
        if kind == "NDEATH":
            self._bury(name, message)
            return []
        if kind == "NBIRTH":
            self._births.forget(name)
            self._births.node(name).bd_seq = _bd_seq(message)
        self._follow(name, message)
        if kind in _BIRTHS:
            told = {each.alias: Metric(each.name, each.datatype) for each in message.metrics if each.HasField("alias")}
            self._births.tell(name, device, told)
        elif kind in _DEATHS:
            self._births.forget(name, device)
            return []
        return self._values(message, name, device)

    def _values(self, message: Any, name: str, device: str) -> list[Run]:
        told = self._births.node(name).aliases.get(device, {})
        sent = message.timestamp if message.HasField("timestamp") else None
        gathering = Gathering(self._naming)
        for each in message.metrics:
            metric = Metric(each.name, each.datatype) if each.name else told.get(each.alias)
            if metric is None:
                self._request(name, f"alias {each.alias} is not known")
                raise RejectError(Reason.ALIAS, f"expected an alias that a birth of {name} has told, got {each.alias}")
            value = _number(each, each.datatype or metric.datatype)
            if value is not None and not metric.name.startswith(_NO_SENSORS):
                time_ms = each.timestamp if each.HasField("timestamp") else sent
                gathering.add(metric.name, value, None if time_ms is None else within(time_ms, time_ms))
        return gathering.runs()

    def _follow(self, name: str, message: Any) -> None:
        if message.HasField("seq") and (missing := self._births.node(name).follow(message.seq % 256)):
            self.missing += missing
            self._request(name, f"{missing} messages before number {message.seq} are missing")

    def _bury(self, name: str, message: Any) -> None:
        """Forget a node, unless it is the death of an earlier life that comes late."""
        node: Node = self._births.node(name)
        told = _bd_seq(message)
        if told is None or node.bd_seq is None or told == node.bd_seq:
            self._births.forget(name)

    def _request(self, name: str, why: str) -> None:
        """Ask a node for its birth, now and then."""
        now_s = self._clock_s()
        if now_s - self._asked.get(name, -PATIENCE_S) < PATIENCE_S:
            return
        self._asked[name] = now_s
        self._asked.move_to_end(name)
        if len(self._asked) > _MOST_ASKED:
            self._asked.popitem(last=False)
        log.warning("%s: %s (%d messages are missing in all); asking it for its birth", name, why, self.missing)
        self._ask(*rebirth(name, round(1000 * time.time())))


def rebirth(name: str, now_ms: int) -> tuple[str, bytes]:
    """Return topic and payload of the command that has the node NAMESPACE/GROUP/NODE say its birth again."""
    space, group, node_id = name.split("/")
    wanted = {"name": "Node Control/Rebirth", "timestamp": now_ms, "datatype": _BOOLEAN, "boolean_value": True}
    return f"{space}/{group}/NCMD/{node_id}", protobuf.encode(timestamp=now_ms, metrics=[wanted])


def units(payload: bytes) -> dict[str, str]:
    """Return the engineering units that a birth tells, by metric."""
    found = {}
    for each in _read(payload).metrics:
        properties: Iterable[tuple[str, Any]] = zip(each.properties.keys, each.properties.values, strict=False)
        unit = next((value.string_value for key, value in properties if key in ("engUnit", "Engineering Units")), "")
        if unit:
            found[str(each.name)] = str(unit)
    return found


def _read(payload: bytes) -> Any:
    message = protobuf.decode(payload)
    if message.uuid == _COMPRESSED:
        message = protobuf.decode(expand(message.body, LARGEST_PAYLOAD))
    if not (message.metrics or message.HasField("timestamp") or message.HasField("seq")):  # all else may be unknown
        raise RejectError(Reason.SYNTAX, f"expected a Sparkplug B payload, got {payload[:64]!r}")
    if not all(isinstance(each.name, str) for each in message.metrics):
        raise RejectError(Reason.SYNTAX, f"expected names of metrics in UTF-8, got other bytes in {payload[:64]!r}")
    return message


def _read_topic(topic: str) -> tuple[str, str, str, str, str]:
    """Return namespace, group, type, node and device, '' if it is a message of the node itself."""
    levels = topic.split("/")
    of_device = len(levels) > 2 and levels[2].startswith("D")
    known = len(levels) > 2 and levels[2] in _BIRTHS | _DEATHS | _DATA | _COMMANDS
    if not known or len(levels) != 4 + of_device:
        raise RejectError(
            Reason.TOPIC, f"expected a topic such as spBv1.0/GROUP/DDATA/NODE/DEVICE, got {topic[:200]!r}"
        )
    space, group, kind, node_id = levels[:4]
    return space, group, kind, node_id, levels[4] if of_device else ""


def _bd_seq(message: Any) -> int | None:
    return next((each.long_value or each.int_value for each in message.metrics if each.name == "bdSeq"), None)


def _number(metric: Any, datatype: int) -> float | None:
    """Return the value of a metric, or None if it is null or no number."""
    kind = metric.WhichOneof("value")
    if kind is None or metric.is_null:
        return None
    if kind in ("float_value", "double_value"):
        return float(getattr(metric, kind))
    if kind not in ("int_value", "long_value") or not 1 <= datatype <= 8:
        return None
    whole = int(getattr(metric, kind))
    if bits := _BITS.get(datatype):
        whole &= (1 << bits) - 1
        whole -= (whole >> (bits - 1)) << bits
    return float(whole)
