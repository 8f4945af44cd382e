"""Messages: alarms and incidents as the JSON that leaves the system."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from edge.messages.alarm import Alarm, alarm_document
from edge.messages.stamp import iso, iso_or_none


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
    document = alarm_document(monitor, stream, alarm)
    return msgspec.json.encode(document | {"evidence": msgspec.Raw(alarm.evidence.encode())})


def incident_message(incident: Incident, state: str, streams: int, members: Sequence[Member]) -> bytes:
    """Return an incident as JSON; `members` are its first alarms, which need not be all."""
    listed: list[dict[str, Any]] = [
        {
            "id": each.id,
            "monitor": each.monitor,
            "stream": each.stream,
            "channel": each.channel,
            "start": iso(each.start),
            "end": iso_or_none(each.end),
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
            "end": iso_or_none(incident.end),
            "alarms": incident.alarms,
            "streams": streams,
            "explanation": _sentence(incident, streams, members),
            "members": listed,
        }
    )


def _sentence(incident: Incident, streams: int, members: Sequence[Member]) -> str:
    named = ", ".join(dict.fromkeys(f"{each.stream} ({each.channel})" for each in members[:3]))
    more = " and others" if streams > len({each.stream for each in members[:3]}) else ""
    return f"{streams} streams of {incident.site} have raised alarms since {iso(incident.start)}: {named}{more}"
