"""JSON by paths: the values of one or several channels, and perhaps their times, one by one or in columns."""

from collections.abc import Callable, Mapping
from typing import Any

from edge.payloads.document import Path, number, numbers, read_json
from edge.payloads.payload import ANYWHERE, Run
from edge.payloads.rejects import Reason, RejectError
from edge.payloads.timestamps import Timestamps
from edge.topics import Match


class JsonPayload:
    """Finds numbers in a JSON message by dotted path, such as `data.flow` or `values.0`.

    `fields` maps channels to paths; without it the one channel that is asked for is found at `value`.
    A channel that is absent or null is missing, which is fine as long as another is there. Where an array of
    times is found, or a first time and the `step` to each next, values are arrays as long as that.
    """

    read: Callable[[bytes], Any] = staticmethod(read_json)  #: where there are faster ones, these take their places
    numbers: Callable[[list[Any], object], list[float]] = staticmethod(numbers)

    def __init__(
        self,
        value: str = "value",
        fields: Mapping[str, str] | None = None,
        time: str | None = None,
        step: str | None = None,
        time_zone: str = "UTC",
    ) -> None:
        self._value = Path(value)
        self._fields = {channel: Path(path) for channel, path in (fields or {}).items()}
        self._time = Path(time) if time else None
        self._step = Path(step) if step else None
        self._timestamps = Timestamps(time_zone)

    def parse(self, payload: bytes, channel: str, match: Match = ANYWHERE, /) -> list[Run]:
        """Return the values of each channel found."""
        message = self.read(payload)
        fields = self._fields or {channel: self._value}
        found = {name: raw for name, path in fields.items() if (raw := path.find(message)) is not None}
        if not found:
            paths = ", ".join(f"'{path}'" for path in fields.values())
            raise RejectError(Reason.MISSING, f"expected a number at {paths}, got nothing there")
        for name, raw in found.items():
            fields[name].refuse_twins(payload, raw)
        if self._time is None:
            return [Run(name, [number(raw, fields[name])]) for name, raw in found.items()]
        if (time := self._time.find(message)) is None:
            raise RejectError(Reason.MISSING, f"expected a time at '{self._time}', got nothing there")
        self._time.refuse_twins(payload, time)
        if isinstance(time, list):
            return self._read_columns(found, self._timestamps.all_ms(time, match.stream))
        if self._step is not None:
            return self._read_columns(found, self._count_on(message, time, found, match))
        times_ms = [self._timestamps.ms(time, match.stream)]
        return [Run(name, [number(raw, fields[name])], times_ms) for name, raw in found.items()]

    def _count_on(self, message: Any, first: Any, found: Mapping[str, Any], match: Match) -> list[int]:
        """Return a time for each value of the first channel."""
        values = next(iter(found.values()))
        count = len(values) if isinstance(values, list) else 0
        return self._timestamps.steps_ms(first, self._step and self._step.find(message), count, match.stream)

    def _read_columns(self, found: Mapping[str, Any], times_ms: list[int]) -> list[Run]:
        runs = []
        for name, values in found.items() if times_ms else ():
            if not isinstance(values, list) or len(values) != len(times_ms):
                got = f"{len(values)} values" if isinstance(values, list) else repr(values)[:64]
                raise RejectError(
                    Reason.SYNTAX, f"expected {len(times_ms)} values of {name}, as many as times, got {got}"
                )
            try:
                runs.append(Run(name, self.numbers(values, name), times_ms))
            except RejectError:
                if None not in values:
                    raise
                told = [k for k, each in enumerate(values) if each is not None]
                if told:
                    runs.append(Run(name, self.numbers([values[k] for k in told], name), [times_ms[k] for k in told]))
        if not runs:
            raise RejectError(Reason.MISSING, f"expected a number of {', '.join(found)}, got none")
        return runs
