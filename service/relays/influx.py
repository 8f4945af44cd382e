"""InfluxDB: verdicts, alarms and the service's own health as points, by /write of 1.x or /api/v2/write of 2 and 3."""

from collections.abc import Mapping, Sequence
from typing import Any

import urllib3.exceptions
from influxdb_client import InfluxDBClient, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from edge.messages.alarm import Alarm
from edge.reading import Verdicts
from edge.secret import read_secret
from service.alarms.messages import Incident, Member
from service.pipeline.monitor import Monitor
from service.relays.answer import Answer
from service.relays.health_lines import health_lines
from service.relays.lines import VerdictLines, alarm_line
from service.relays.outbox import OutboxRow
from service.relays.sinks import InfluxSettings, SinkSettings

_TYPE = {"Content-Type": "text/plain; charset=utf-8"}


class InfluxSink:
    """Has each alarm that is raised as a point, whether an incident tells of it or not, and each verdict if wanted."""

    most_rows = 500

    def __init__(self, name: str, settings: InfluxSettings, sink: SinkSettings) -> None:
        self.name = name
        self.most_bytes = sink.most_bytes
        self.timeout_s = sink.timeout_s
        self._settings = settings
        self._lines = VerdictLines()
        self._client = _client(settings, sink)
        self._api = self._client.write_api(SYNCHRONOUS)

    def __str__(self) -> str:
        place = f"database {self._settings.database}" if self._settings.database else f"bucket {self._settings.bucket}"
        return f"InfluxDB at {self._settings.url}, {place}: {'verdicts and ' if self._settings.verdicts else ''}alarms"

    def alarm(self, monitor: Monitor, stream: str, alarm: Alarm, told: bool) -> bytes | None:  # noqa: ARG002
        """Return an alarm as a line."""
        return alarm_line(monitor, stream, alarm)

    def incident(self, incident: Incident, state: str, streams: int, members: Sequence[Member]) -> bytes | None:  # noqa: ARG002
        """Return none: each alarm has the id of its incident."""
        return None

    def verdicts(self, monitor: Monitor, verdicts: Verdicts) -> Sequence[bytes]:
        """Return verdicts as lines."""
        return self._lines.of(monitor, verdicts) if self._settings.verdicts and len(verdicts) else ()

    def health(self, told: Mapping[str, Any], waiting: Mapping[str, int]) -> Sequence[bytes]:
        """Return as lines how the service is doing."""
        return health_lines(told, waiting)

    def send(self, rows: Sequence[OutboxRow]) -> Answer:
        """Write the lines of rows."""
        try:
            self._write(b"\n".join(row.body for row in rows))
        except ApiException as error:
            if not error.status:  # so the client tells of TLS
                return Answer(0, " ".join(str(error.reason).split()))
            return Answer.of(error.status, error.body or "", error.headers or {})
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return Answer.none(error)
        return Answer(204)

    def split(self, row: OutboxRow) -> list[OutboxRow]:
        """Return the lines of a row."""
        return [row._replace(body=line) for line in row.body.split(b"\n")]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _write(self, body: bytes) -> None:
        if self._settings.bucket is not None:
            self._api.write(self._settings.bucket, self._settings.org, body, WritePrecision.MS)
        else:  # the client has no method for 1.x, but its connections, its credentials and its errors serve as well
            where = [("db", self._settings.database), ("precision", "ms")]
            self._client.api_client.call_api("/write", "POST", [], where, dict(_TYPE), body)


def _client(settings: InfluxSettings, sink: SinkSettings) -> InfluxDBClient:
    """Return a client that does not try again by itself; ConfigError if a file cannot be read."""
    token = None
    if settings.token_file is not None:
        token = read_secret(settings.token_file, "token")
    elif settings.password_file is not None:
        token = f"{settings.user}:{read_secret(settings.password_file)}"
    return InfluxDBClient(
        settings.url,
        token,
        timeout=int(1000 * sink.timeout_s),
        org=settings.org,
        auth_basic=settings.password_file is not None,
        ssl_context=sink.context(),
    )
