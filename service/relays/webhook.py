"""The webhook: alarms and incidents by POST, signed as Standard Webhooks (standardwebhooks.com) has it."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3

from edge.alarm import Severity
from edge.errors import ConfigError
from edge.messages.alarm import Alarm
from edge.messages.stamp import iso
from edge.reading import Verdicts
from edge.secret import read_secret
from service.alarms.messages import Incident, Member, alarm_message, incident_message
from service.pipeline.monitor import Monitor
from service.relays.answer import Answer
from service.relays.outbox import OutboxRow
from service.relays.sinks import SinkSettings, WebhookSettings

_MOST_HEARD = 10_000  # bytes of an answer that are read


class _Named(msgspec.Struct):
    """What of an alarm or an incident tells it from all others."""

    id: str
    state: str
    end: str | None = None
    alarms: int = 0  #: of an incident, which may grow more than once


class _Event(msgspec.Struct):
    """The body of a request."""

    data: _Named


class WebhookSink:
    """Is told of alarms and incidents, one a request; without incidents, of each alarm that is part of one."""

    most_rows = 1

    def __init__(self, name: str, settings: WebhookSettings, sink: SinkSettings) -> None:
        self.name = name
        self.most_bytes = sink.most_bytes
        self.timeout_s = sink.timeout_s
        self._settings = settings
        self._key = _read_key(settings.secret_file)
        self._least = Severity[settings.least_severity.upper()]
        timeout = urllib3.Timeout(total=sink.timeout_s)
        self._pool = urllib3.PoolManager(retries=False, timeout=timeout, ssl_context=sink.context())

    def __str__(self) -> str:
        parts, least = urlsplit(self._settings.url), self._settings.least_severity  # the path may be a secret
        return f"webhook at {parts.scheme}://{parts.netloc}: {' and '.join(sorted(self._settings.events))} from {least}"

    def alarm(self, monitor: Monitor, stream: str, alarm: Alarm, told: bool) -> bytes | None:
        """Return an alarm as an event, if it opened as severe as is wanted."""
        has_message = told or "incidents" not in self._settings.events
        if "alarms" not in self._settings.events or not has_message or Severity.of(alarm.score) < self._least:
            return None
        at, state = (alarm.raised, "opened") if alarm.end is None else (alarm.end, "closed")
        return _event(f"alarm.{state}", at or alarm.start, alarm_message(monitor.name, stream, alarm))

    def incident(self, incident: Incident, state: str, streams: int, members: Sequence[Member]) -> bytes | None:
        """Return an incident as an event."""
        if "incidents" not in self._settings.events:
            return None
        at = incident.newest if incident.end is None else incident.end
        return _event(f"incident.{state}", at, incident_message(incident, state, streams, members))

    def verdicts(self, monitor: Monitor, verdicts: Verdicts) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return none: a webhook is for what is rare."""
        return ()

    def health(self, told: Mapping[str, Any], waiting: Mapping[str, int]) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return none, as of verdicts."""
        return ()

    def send(self, rows: Sequence[OutboxRow]) -> Answer:
        """Post an event."""
        (row,) = rows
        headers = {"Content-Type": "application/json", "User-Agent": "foresense"}
        headers |= signed(self._key, event_id(row.kind, row.body), int(time.time()), row.body)
        try:
            response = self._pool.request(
                "POST", self._settings.url, body=row.body, headers=headers, preload_content=False
            )
            try:
                return Answer.of(response.status, response.read(_MOST_HEARD), response.headers)
            finally:
                response.close()  # if there is more of it; else the connection is kept
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return Answer.none(error)

    def split(self, row: OutboxRow) -> list[OutboxRow]:
        """Return the row: it is one event."""
        return [row]

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


def event_id(kind: str, body: bytes) -> str:
    """Return the id of an event: the same however often and whenever it is sent."""
    data = msgspec.json.decode(body, type=_Event).data
    return hashlib.sha256(msgspec.json.encode([kind, data])).hexdigest()[:32]


def signed(key: bytes, ident: str, at_s: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove who sends a body, and when (UTC epoch, seconds)."""
    mac = hmac.digest(key, b"%b.%d.%b" % (ident.encode(), at_s, body), "sha256")
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"webhook-id": ident, "webhook-timestamp": str(at_s), "webhook-signature": signature}


def _event(kind: str, at_ms: int, data: bytes) -> bytes:
    return msgspec.json.encode({"type": kind, "timestamp": iso(at_ms), "data": msgspec.Raw(data)})


def _read_key(path: Path) -> bytes:
    """Return the key that a file holds; ConfigError, which does not show it, if it is none."""
    prefix, secret = "whsec_", read_secret(path, "secret")
    try:
        key = base64.b64decode(secret.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(prefix) or not 24 <= len(key) <= 64:
        raise ConfigError(
            f"{path}: expected '{prefix}' and the base64 of 24 to 64 random bytes, got something else; "
            f'echo "{prefix}$(openssl rand -base64 32)" makes one'
        )
    return key
