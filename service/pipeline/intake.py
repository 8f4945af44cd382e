"""The intake: a batch of messages to each monitor's readings, dead letters and counts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from edge.inbox import Message
from edge.payloads.payload import LARGEST_PAYLOAD, MOST_AHEAD_MS
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match
from service.pipeline.columns import Columns
from service.pipeline.monitor import Monitor
from service.pipeline.runs import read_runs
from service.storage.store import DeadLetter

log = logging.getLogger(__name__)

MOST_ROUTES = 50_000  #: topics of a broker that are remembered
BLOCK = 250  #: messages that are read at once if all of them are plain
_LONGEST_DETAIL = 500
_BEGINNING = 64 * 1024  # bytes kept of a payload that is too large to be read


@dataclass(slots=True)
class Sorted:
    """What a batch of messages came to."""

    readings: list[tuple[Monitor, Columns]]
    letters: list[DeadLetter] = field(default_factory=list)
    committed: int = 0  #: messages that were read; some convention's have no readings
    retained: int = 0  #: messages that the broker had kept


class Route(NamedTuple):
    """Where the messages of a topic go."""

    monitor: Monitor
    match: Match
    stream: str  #: unless the message itself adds to its name
    channel: int | None  #: place of the topic's channel within the bundle, which may not have it


class Intake:
    """Reads messages for the monitors; a message that cannot be read never stops the rest."""

    def __init__(self, monitors: Sequence[Monitor]) -> None:
        self._monitors = monitors
        self._routes: dict[str, dict[str, Route]] = {monitor.broker: {} for monitor in monitors}

    def sort(self, batch: Sequence[Message]) -> Sorted:
        """Return what the messages say, each monitor's in their order; new streams are given rows of their monitors."""
        result = Sorted([(monitor, Columns()) for monitor in self._monitors])
        routed: dict[str, list[tuple[Message, Route]]] = {monitor.name: [] for monitor in self._monitors}
        refused: dict[int, DeadLetter] = {}  # by the id of its message
        for message in batch:
            if message.retain:
                result.retained += 1
                continue
            try:
                route = self._route(message.source, message.topic)
            except RejectError as reject:
                refused[id(message)] = _letter(message, reject)
            else:
                routed[route.monitor.name].append((message, route))
        for monitor, columns in result.readings:
            pairs = routed[monitor.name]
            for first in range(0, len(pairs), BLOCK):
                block = pairs[first : first + BLOCK]
                if not _read_block(monitor, block, columns):
                    refused |= _read_singly(block, columns)
        result.letters = [refused[id(message)] for message in batch if id(message) in refused] if refused else []
        result.committed = len(batch) - result.retained - len(refused)
        return result

    def _route(self, source: str, topic: str) -> Route:
        """Return where a topic's messages go; RejectError if they are nobody's."""
        routes = self._routes.get(source, {})
        if route := routes.get(topic):
            return route
        for monitor in self._monitors:
            if monitor.broker == source and (match := monitor.template.match(topic)):
                if len(routes) >= MOST_ROUTES:
                    routes.clear()
                channel = monitor.place(match.channel or monitor.channels[0])
                route = routes[topic] = Route(monitor, match, match.stream_name("", monitor.name), channel)
                return route
        templates = ", ".join(str(monitor.template) for monitor in self._monitors if monitor.broker == source)
        got = repr(topic[:200]) if topic else "one that is not UTF-8"
        raise RejectError(Reason.TOPIC, f"expected a topic of {templates}, got {got}")


def _read_block(monitor: Monitor, block: list[tuple[Message, Route]], columns: Columns) -> bool:
    """Add what messages say to their monitor's readings if all of them are plain, and return whether they are."""
    plain = monitor.read_many([message.payload for message, _ in block], [route.match for _, route in block])
    channels = [route.channel for _, route in block if route.channel is not None]
    if plain is None or len(channels) < len(block):
        return False
    received = np.array([message.received_ms for message, _ in block])
    times = received.repeat(plain.counts) if plain.times_ms is None else plain.times_ms
    if times.max() - received.min() > MOST_AHEAD_MS:
        return False
    try:
        rows = [monitor.row(route.stream) for _, route in block]
    except RejectError:
        return False
    columns.extend(rows, channels, plain.counts, times, plain.values)
    return True


def _read_singly(block: list[tuple[Message, Route]], columns: Columns) -> dict[int, DeadLetter]:
    """Add what each message says to its monitor's readings, and return the letters of those that cannot be read."""
    refused = {}
    for message, route in block:
        try:
            _read(message, route, columns)
        except RejectError as reject:
            refused[id(message)] = _letter(message, reject)
        except Exception as error:
            log.exception("a message on %r could not be read", message.topic)
            refused[id(message)] = _letter(message, RejectError(Reason.UNEXPECTED, repr(error)))
    return refused


def _read(message: Message, route: Route, columns: Columns) -> None:
    """Add what a message says to its monitor's readings: all of it, or nothing."""
    monitor, match, stream, _ = route
    runs = read_runs(message, match, monitor.parse)
    rows = [monitor.row(match.stream_name(run.stream, monitor.name) if run.stream else stream) for run, _ in runs]
    for row, (run, times) in zip(rows, runs, strict=True):
        columns.add(row, monitor.index(run.channel), times, run.values)


def _letter(message: Message, reject: RejectError) -> DeadLetter:
    return DeadLetter(
        message.received_ms,
        message.topic,
        message.payload[: LARGEST_PAYLOAD if len(message.payload) <= LARGEST_PAYLOAD else _BEGINNING],
        len(message.payload),
        reject.reason,
        reject.detail[:_LONGEST_DETAIL],
        message.source,
    )
