"""The recorder: subscribes as the service does, with a session of its own, and has what comes written down."""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from threading import Event
from time import monotonic

from edge.brokers.consumer import acknowledge, as_messages
from edge.brokers.mqtt import Connection
from edge.brokers.packets import Received
from edge.errors import ForesenseError
from edge.inbox import Inbox, Message
from edge.receipt_clock import wall_ms
from service.brokers.broker import BrokerSettings, place

log = logging.getLogger(__name__)

_BATCH = 1000
_WAIT_S = 0.2
_PATIENCE_S = 10.0  # until we are subscribed


class _Line:
    """The connection with one broker."""

    def __init__(self, source: str, broker: BrokerSettings, filters: Sequence[str], inbox: Inbox, stop: Event) -> None:
        self.interruptions = 0
        self._source = source
        self._broker = broker
        self._filters = filters
        self._inbox = inbox
        self._stop = stop
        self._subscribed = Event()
        self._refused: list[str] = []
        self.connection = Connection(broker, f"{broker.client_id}-record-{secrets.token_hex(3)}")
        self.connection.on_open = lambda _session: self.connection.subscribe(filters)
        self.connection.on_subscribed = self._answered
        self.connection.on_lost = self._lost
        self.connection.on_received = self._received

    def wait_until_subscribed(self) -> None:
        """Return once the broker has subscribed us; ForesenseError if it does not."""
        deadline = monotonic() + _PATIENCE_S
        while not self._subscribed.wait(_WAIT_S) and not self._stop.is_set():
            if monotonic() > deadline:
                raise ForesenseError(
                    f"{place(self._source)}: expected one at {self._broker.address} that accepts us "
                    f"within {_PATIENCE_S:g} s, got: {self.connection.trouble or 'no answer'}"
                )
        if self._refused:
            raise ForesenseError(
                f"{place(self._source)}: expected leave to subscribe to {', '.join(self._filters)}, "
                f"got: {', '.join(self._refused)}"
            )

    def _answered(self, refused: list[str]) -> None:
        self._refused = refused
        self._subscribed.set()

    def _lost(self) -> None:
        if self._subscribed.is_set() and not self._stop.is_set():
            self.interruptions += 1
            log.warning("the connection is lost: what comes until it is back is missing from the recording")

    def _received(self, received: Sequence[Received]) -> None:
        messages = as_messages(received, self.connection.epoch, self._source, wall_ms())
        while messages and not self._stop.is_set():
            messages = messages[self._inbox.put(messages, _WAIT_S) :]


class Recorder:
    """Records messages; one is acknowledged once it is written, so the broker sends what is not."""

    def __init__(
        self,
        brokers: Mapping[str, BrokerSettings],
        filters: Mapping[str, Sequence[str]],
        write: Callable[[list[Message]], None],
    ) -> None:
        self.messages = 0
        self._put = write
        self._inbox = Inbox()
        self._stop = Event()
        self._lines = {
            name: _Line(name, brokers[name], topics, self._inbox, self._stop) for name, topics in filters.items()
        }

    @property
    def interruptions(self) -> int:
        """Return how often a connection was lost; what came meanwhile is missing."""
        return sum(line.interruptions for line in self._lines.values())

    def stop(self) -> None:
        """End run(); may be called from a signal handler."""
        self._stop.set()

    def run(self, seconds: float | None, most: int | None, tell: Callable[[], None]) -> None:
        """Record until so many seconds or messages, or stop(); ForesenseError without a broker that lets us.

        `tell` is called now and then, to show progress.
        """
        try:
            for line in self._lines.values():
                line.connection.start()
            for line in self._lines.values():
                line.wait_until_subscribed()
            end = monotonic() + seconds if seconds is not None else None
            while not self._stop.is_set() and (end is None or monotonic() < end) and self.messages != most:
                wait = _WAIT_S if end is None else max(min(_WAIT_S, end - monotonic()), 0)
                self._write(self._inbox.take(self._room(most), wait))
                tell()
            self._stop.set()
            self._inbox.close()
            while batch := self._inbox.take(self._room(most), 0):
                self._write(batch)
        except OSError as error:
            raise ForesenseError(f"the recording: expected a disk that takes it, got: {error.strerror}") from error
        finally:
            self._stop.set()
            self._inbox.close()
            for line in self._lines.values():
                line.connection.stop()

    def _room(self, most: int | None) -> int:
        return _BATCH if most is None else min(_BATCH, most - self.messages)

    def _write(self, batch: list[Message]) -> None:
        if batch:
            self._put(batch)
            for source, group in groupby(batch, lambda message: message.source):
                acknowledge(self._lines[source].connection, list(group))
            self.messages += len(batch)
