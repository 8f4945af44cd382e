"""Influx line protocol, of one or several lines."""

from collections.abc import Mapping, Sequence

from edge.payloads.payload import ANYWHERE, Run
from edge.payloads.rejects import Reason, RejectError
from edge.payloads.timestamps import Timestamps
from edge.topics import Match
from service.payloads.gathering import Gathering, Naming
from service.payloads.line_protocol import read_points
from service.payloads.tags import tagged_stream


class InfluxPayload:
    """Takes each numeric field as a channel `MEASUREMENT.FIELD`, of the stream that the chosen tags tell.

    Times are in s, ms, us or ns, as their magnitude says.
    """

    def __init__(self, fields: Mapping[str, str], tags: Sequence[str]) -> None:
        self._naming = Naming(fields)
        self._tags = tags
        self._timestamps = Timestamps()

    def parse(self, payload: bytes, _channel: str, match: Match = ANYWHERE, /) -> list[Run]:
        """Return the values of all lines."""
        try:
            text = payload.decode()
        except UnicodeDecodeError as error:
            raise RejectError(Reason.SYNTAX, f"expected text in UTF-8, got {payload[:64]!r}") from error
        gathering = Gathering(self._naming)
        for measurement, tags, numbers, time in read_points(text):
            stream = tagged_stream(tags, self._tags) if self._tags else ""
            time_ms = None if time is None else self._timestamps.ms(time, match.stream_name(stream, ""))
            for field, value in numbers.items():
                gathering.add(f"{measurement}.{field}", value, time_ms, stream)
        return gathering.some_runs()
