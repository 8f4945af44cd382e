"""JSON objects whose numbers have names, as Zigbee2MQTT and Tasmota send them."""

from collections.abc import Mapping

from edge.payloads.document import leaves, number, refuse_twins
from edge.payloads.payload import ANYWHERE, Run
from edge.payloads.rejects import Reason, RejectError
from edge.payloads.timestamps import Timestamps
from edge.topics import Match
from service.payloads.document import read_json
from service.payloads.gathering import Gathering, Naming


class ObjectPayload:
    """Takes every number of an object as a channel, named by its path, such as `DS18B20.Temperature`.

    The reading's time is at `time`, if it is there.
    """

    def __init__(self, time: str, fields: Mapping[str, str], time_zone: str) -> None:
        self._time = time
        self._naming = Naming(fields)
        self._timestamps = Timestamps(time_zone)

    def parse(self, payload: bytes, _channel: str, match: Match = ANYWHERE, /) -> list[Run]:
        """Return a value for each number."""
        message = read_json(payload)
        if not isinstance(message, dict):
            raise RejectError(Reason.SYNTAX, f"expected a JSON object, got {payload[:64]!r}")
        refuse_twins(payload)
        time = message.pop(self._time, None)
        time_ms = None if time is None else self._timestamps.ms(time, match.stream)
        gathering = Gathering(self._naming)
        for name, value in leaves(message):
            gathering.add(name, number(value, name), time_ms)
        return gathering.some_runs()
