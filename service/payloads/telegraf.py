"""Telegraf's JSON: a metric with fields, tags and a time, or a batch of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from edge.payloads.document import number
from edge.payloads.payload import ANYWHERE, Run
from edge.payloads.rejects import Reason, RejectError
from edge.payloads.timestamps import Timestamps
from edge.topics import Match
from service.payloads.document import read_json
from service.payloads.gathering import Gathering, Naming
from service.payloads.tags import tagged_stream


def metrics_in(message: Any) -> list[Any]:
    """Return the metrics of a message, which has one or a batch; whether they are any is not looked at."""
    batch = message.get("metrics", message) if isinstance(message, dict) else message
    return batch if isinstance(batch, list) else [batch]


class TelegrafPayload:
    """Takes each numeric field of each metric as a channel `NAME.FIELD`, of the stream that the chosen tags tell."""

    def __init__(self, fields: Mapping[str, str], tags: Sequence[str], time_zone: str) -> None:
        self._naming = Naming(fields)
        self._tags = tags
        self._timestamps = Timestamps(time_zone)

    def parse(self, payload: bytes, _channel: str, match: Match = ANYWHERE, /) -> list[Run]:
        """Return the values of all metrics."""
        gathering = Gathering(self._naming)
        for metric in metrics_in(read_json(payload)):
            self._take(metric, match, gathering)
        return gathering.some_runs()

    def _take(self, metric: Any, match: Match, gathering: Gathering) -> None:
        name, fields, tags = (
            (metric.get("name"), metric.get("fields"), metric.get("tags", {}))
            if isinstance(metric, dict)
            else (None, None, None)
        )
        if not (isinstance(name, str) and isinstance(fields, dict) and isinstance(tags, dict)):
            raise RejectError(
                Reason.SYNTAX, f"expected a metric with name, fields, tags and timestamp, got {repr(metric)[:64]}"
            )
        stream = tagged_stream({key: str(tag) for key, tag in tags.items()}, self._tags)
        time, time_ms = metric.get("timestamp"), None
        if time is not None:
            time_ms = self._timestamps.ms(time, match.stream_name(stream, ""))
        for field, value in fields.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                gathering.add(f"{name}.{field}", number(value, field), time_ms, stream)
