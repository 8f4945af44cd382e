"""What waits for a broker: alarms of its monitors and incidents of their sites, as the JSON that is published."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from edge.messages.alarm import Alarm
from edge.reading import Verdicts
from service.alarms.messages import Incident, Member, alarm_message, incident_message
from service.pipeline.monitor import Monitor


class MqttSink:
    """A broker is told of each alarm unless an incident tells of it, and of each incident; verdicts do not wait."""

    most_bytes = sys.maxsize

    def __init__(self, name: str, monitors: Sequence[Monitor]) -> None:
        self.name = name
        self._others = {monitor.site for monitor in monitors} - {
            monitor.site for monitor in monitors if monitor.sink == name
        }

    def alarm(self, monitor: Monitor, stream: str, alarm: Alarm, told: bool) -> bytes | None:
        """Return an alarm that has a message of its own as JSON."""
        return alarm_message(monitor.name, stream, alarm) if told and monitor.sink == self.name else None

    def incident(self, incident: Incident, state: str, streams: int, members: Sequence[Member]) -> bytes | None:
        """Return an incident as JSON, wherever the alarms of its site go; of a site that is no more, everywhere."""
        return None if incident.site in self._others else incident_message(incident, state, streams, members)

    def verdicts(self, monitor: Monitor, verdicts: Verdicts) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return none: they are published as they come."""
        return ()

    def health(self, told: Mapping[str, Any], waiting: Mapping[str, int]) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return none: a broker has the availability."""
        return ()


def mqtt_sinks(monitors: Sequence[Monitor]) -> list[MqttSink]:
    """Return the sinks of the brokers that monitors publish to."""
    return [MqttSink(name, monitors) for name in dict.fromkeys(monitor.sink for monitor in monitors)]
