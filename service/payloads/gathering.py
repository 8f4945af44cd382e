"""The gathering: the values of a message that names them itself, into runs."""

from collections.abc import Mapping

from edge.payloads.payload import Run, plausible
from edge.payloads.rejects import Reason, RejectError


class Naming:
    """Which channel a name in a message stands for: its own, or with `fields` (channel: name) what they say."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._channels = {name: channel for channel, name in fields.items()}

    def channel(self, name: str) -> str | None:
        """Return the channel, or None if nobody asks for that name."""
        return self._channels.get(name) if self._channels else name


class Gathering:
    """Takes the values of one message one by one, and makes a run of those that belong together."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._any = False
        self._found: dict[tuple[str, str, bool, bool], tuple[list[float], list[int]]] = {}

    def add(
        self, name: str, value: float, time_ms: int | None, stream: str = "", *, from_receipt: bool = False
    ) -> None:
        """Take a value; RejectError if it is asked for and no sensor says it."""
        self._any = True
        channel = self._naming.channel(name)
        if channel is None:
            return
        key = channel, stream, time_ms is not None, from_receipt
        if key not in self._found:
            self._found[key] = [], []
        values, times = self._found[key]
        values.append(plausible(value))
        if time_ms is not None:
            times.append(time_ms)

    def runs(self) -> list[Run]:
        """Return the runs; none if no value is asked for."""
        return [
            Run(channel, values, times if timed else None, stream, from_receipt)
            for (channel, stream, timed, from_receipt), (values, times) in self._found.items()
        ]

    def some_runs(self) -> list[Run]:
        """Return the runs; RejectError if the message had no value at all."""
        if not self._any:
            raise RejectError(Reason.MISSING, "expected a number, got a message with none")
        return self.runs()
