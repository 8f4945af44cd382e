"""What waits for a receiver: alarms that nobody else tells of, and incidents."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from edge.alarm import Severity
from edge.messages.alarm import Alarm
from edge.reading import Verdicts
from service.alarms.messages import Incident, Member, alarm_message, incident_message
from service.pipeline.monitor import Monitor


class NoticeSink:
    """Has a row for each alarm that no incident tells of, and for each incident; verdicts do not wait."""

    most_bytes = sys.maxsize

    def __init__(self, name: str, least_severity: str) -> None:
        self.name = name
        self._least = Severity[least_severity.upper()]

    def alarm(self, monitor: Monitor, stream: str, alarm: Alarm, told: bool) -> bytes | None:
        """Return an alarm that has a message of its own, with what its picture needs, if it is severe enough."""
        if not told or Severity.of(alarm.score) < self._least:
            return None
        manifest = monitor.bundle.manifest
        unit = next((each.unit for each in manifest.channels if each.name == alarm.channel), "")
        body = msgspec.json.decode(alarm_message(monitor.name, stream, alarm))
        return msgspec.json.encode(body | {"interval_ms": manifest.interval_ms, "unit": unit})

    def incident(self, incident: Incident, state: str, streams: int, members: Sequence[Member]) -> bytes | None:
        """Return an incident."""
        return incident_message(incident, state, streams, members)

    def verdicts(self, monitor: Monitor, verdicts: Verdicts) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return none: nobody wants to be told of these."""
        return ()

    def health(self, told: Mapping[str, Any], waiting: Mapping[str, int]) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return none, as of verdicts."""
        return ()
