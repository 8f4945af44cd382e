"""The recorder: subscribes as the service does, with a session of its own, and writes what comes to a file."""

import logging
import secrets
from collections.abc import Callable, Sequence
from threading import Event
from time import monotonic

from paho.mqtt.client import MQTTMessage

from edge.errors import ForesenseError
from service.consumer import acknowledge, as_message
from service.inbox import Inbox, Message
from service.mqtt import Connection
from service.settings import BrokerSettings
from service.traffic.recording import RecordingWriter

log = logging.getLogger(__name__)

_BATCH = 1000
_WAIT_S = 0.2
_PATIENCE_S = 10.0  # until we are subscribed


class Recorder:
    """Records messages; one is acknowledged once it is written, so the broker sends what is not."""

    def __init__(self, broker: BrokerSettings, filters: Sequence[str], file: RecordingWriter) -> None:
        self.messages = 0
        self.interruptions = 0  #: how often the connection was lost; what came meanwhile is missing
        self._broker = broker
        self._filters = filters
        self._file = file
        self._inbox = Inbox()
        self._stop = Event()
        self._subscribed = Event()
        self._refused: list[str] = []
        self._connection = Connection(broker, f"{broker.client_id}-record-{secrets.token_hex(3)}")
        self._connection.on_open = lambda _session: self._connection.subscribe(filters)
        self._connection.on_subscribed = self._answered
        self._connection.on_lost = self._lost
        self._connection.on_message = self._received

    def stop(self) -> None:
        """End run(); may be called from a signal handler."""
        self._stop.set()

    def run(self, seconds: float | None, most: int | None, tell: Callable[[], None]) -> None:
        """Record until so many seconds or messages, or stop(); ForesenseError without a broker that lets us.

        `tell` is called now and then, to show progress.
        """
        self._connection.start()
        try:
            self._wait_until_subscribed()
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
            self._connection.stop()

    def _wait_until_subscribed(self) -> None:
        deadline = monotonic() + _PATIENCE_S
        while not self._subscribed.wait(_WAIT_S) and not self._stop.is_set():
            if monotonic() > deadline:
                raise ForesenseError(
                    f"broker: expected one at {self._broker.host}:{self._broker.port} that accepts us, "
                    f"got none within {_PATIENCE_S:g} s"
                )
        if self._refused:
            raise ForesenseError(
                f"broker: expected leave to subscribe to {', '.join(self._filters)}, got: {', '.join(self._refused)}"
            )

    def _room(self, most: int | None) -> int:
        return _BATCH if most is None else min(_BATCH, most - self.messages)

    def _write(self, batch: list[Message]) -> None:
        if batch:
            self._file.write(batch)
            acknowledge(self._connection, batch)
            self.messages += len(batch)

    def _answered(self, refused: list[str]) -> None:
        self._refused = refused
        self._subscribed.set()

    def _lost(self) -> None:
        if self._subscribed.is_set() and not self._stop.is_set():
            self.interruptions += 1
            log.warning("the connection is lost: what comes until it is back is missing from the recording")

    def _received(self, message: MQTTMessage) -> None:
        while not self._inbox.put(as_message(message, self._connection.epoch), _WAIT_S):
            if self._stop.is_set():
                return
