"""Messages: alarms and incidents as the JSON that leaves the system."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from service.storage.store import Alarm


def sink(broker: str) -> str:
    """Return the outbox's name for the relay to a broker.

    >>> sink(""), sink("north")
    ('mqtt', 'mqtt:north')
    """
    return f"mqtt:{broker}" if broker else "mqtt"


class Member(NamedTuple):
    """An alarm as part of an incident."""

    id: str
    monitor: str
    stream: str
    channel: str
    start: int  #: UTC epoch, ms
    end: int | None
    severity: str
    peak_score: float


class Incident(NamedTuple):
    """Many alarms of one site at once, as it is stored."""

    id: str
    site: str
    start: int  #: of the first alarm, UTC epoch, ms
    end: int | None  #: of the last alarm, once all have ended
    newest: int  #: when the newest alarm was raised
    alarms: int
    told: int  #: how many there were when the world was told last


def alarm_message(monitor: str, stream: str, alarm: Alarm) -> bytes:
    """Return an alarm as JSON."""
    return msgspec.json.encode(
        {
            "id": alarm.id,
            "monitor": monitor,
            "stream": stream,
            "bundle": alarm.bundle,
            "state": "opened" if alarm.end is None else "closed",
            "start": iso(alarm.start),
            "end": _iso(alarm.end),
            "channel": alarm.channel,
            "severity": alarm.severity,
            "score": alarm.score,
            "value": alarm.value,
            "expected": alarm.expected,
            "lower": alarm.lower,
            "upper": alarm.upper,
            "peak": {"score": alarm.peak_score, "time": iso(alarm.peak_time), "channel": alarm.peak_channel},
            "explanation": alarm.explanation,
            "evidence": msgspec.Raw(alarm.evidence.encode()),
            "suppressed": alarm.suppressed,
            "raised": _iso(alarm.raised),
            "incident": alarm.incident,
        }
    )


def incident_message(incident: Incident, state: str, streams: int, members: Sequence[Member]) -> bytes:
    """Return an incident as JSON; `members` are its first alarms, which need not be all."""
    listed: list[dict[str, Any]] = [
        {
            "id": each.id,
            "monitor": each.monitor,
            "stream": each.stream,
            "channel": each.channel,
            "start": iso(each.start),
            "end": _iso(each.end),
            "severity": each.severity,
            "score": each.peak_score,
        }
        for each in members
    ]
    return msgspec.json.encode(
        {
            "id": incident.id,
            "site": incident.site,
            "state": state,
            "start": iso(incident.start),
            "end": _iso(incident.end),
            "alarms": incident.alarms,
            "streams": streams,
            "explanation": _sentence(incident, streams, members),
            "members": listed,
        }
    )


def iso(time_ms: int) -> str:
    """Return a time in UTC epoch milliseconds as ISO 8601.

    >>> iso(1_700_000_000_250)
    '2023-11-14T22:13:20.250Z'
    """
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _iso(time_ms: int | None) -> str | None:
    return None if time_ms is None else iso(time_ms)


def _sentence(incident: Incident, streams: int, members: Sequence[Member]) -> str:
    named = ", ".join(dict.fromkeys(f"{each.stream} ({each.channel})" for each in members[:3]))
    more = " and others" if streams > 3 else ""
    return f"{streams} streams of {incident.site} have raised alarms since {iso(incident.start)}: {named}{more}"
