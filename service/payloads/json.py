"""JSON by paths, read with a faster decoder, and many plain messages at once."""

from collections.abc import Mapping, Sequence

from edge.payloads import json
from edge.topics import Match
from service.payloads.document import numbers, read_json
from service.payloads.plain_json import Plain, PlainJson


class JsonPayload(json.JsonPayload):
    """Finds numbers in a JSON message by dotted path, such as `data.flow` or `values.0`."""

    read = staticmethod(read_json)
    numbers = staticmethod(numbers)

    def __init__(
        self,
        value: str = "value",
        fields: Mapping[str, str] | None = None,
        time: str | None = None,
        step: str | None = None,
        time_zone: str = "UTC",
    ) -> None:
        super().__init__(value, fields, time, step, time_zone)
        simple = not (fields or step or "." in value or "." in (time or ""))
        self._plain = PlainJson(value, time) if simple else None

    def read_many(self, payloads: Sequence[bytes], matches: Sequence[Match]) -> Plain | None:
        """Return what messages say, as parse() would of each, if all of them are plain; None if they are not."""
        plain = self._plain.read(payloads) if self._plain is not None else None
        if (
            plain is not None
            and plain.times_ms is not None
            and not self._timestamps.are_ms([match.stream for match in matches])
        ):
            return None
        return plain
