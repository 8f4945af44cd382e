"""JSON objects: the values of one or several channels, and perhaps their time, by path."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from service.payloads.payload import Run, plausible
from service.payloads.timestamps import epoch_ms
from service.rejects import Reason, RejectError


class JsonPayload:
    """Finds numbers in a JSON message by dotted path, such as `data.flow` or `values.0`.

    `fields` maps channels to paths; without it the one channel that is asked for is found at `value`.
    A channel that is absent or null is missing, which is fine as long as another is there.
    """

    def __init__(self, value: str = "value", fields: Mapping[str, str] | None = None, time: str | None = None) -> None:
        self._value = _Path(value)
        self._fields = {channel: _Path(path) for channel, path in (fields or {}).items()}
        self._time = _Path(time) if time else None
        self._decode = msgspec.json.Decoder().decode

    def parse(self, payload: bytes, channel: str) -> list[Run]:
        """Return the value of each channel found."""
        try:
            message = self._decode(payload)
        except (ValueError, RecursionError) as error:
            raise RejectError(Reason.SYNTAX, f"expected JSON, got {payload[:64]!r}: {error}") from error
        fields = self._fields or {channel: self._value}
        found = {name: raw for name, path in fields.items() if (raw := path.find(message)) is not None}
        if not found:
            paths = ", ".join(f"'{path}'" for path in fields.values())
            raise RejectError(Reason.MISSING, f"expected a number at {paths}, got nothing there")
        times_ms = self._read_times(message)
        return [Run(name, [_number(raw, fields[name])], times_ms) for name, raw in found.items()]

    def _read_times(self, message: Any) -> list[int] | None:
        if self._time is None:
            return None
        if (raw := self._time.find(message)) is None:
            raise RejectError(Reason.MISSING, f"expected a time at '{self._time}', got nothing there")
        return [epoch_ms(raw)]


class _Path:
    """A way into nested objects and arrays: names and indexes, with dots between."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._steps = text.split(".")

    def __str__(self) -> str:
        return self._text

    def find(self, message: Any) -> Any:
        """Return what is there, or None."""
        if isinstance(message, dict) and self._text in message:
            return message[self._text]  # a name may itself have dots
        for step in self._steps:
            if isinstance(message, dict):
                message = message.get(step)
            elif isinstance(message, list) and step.isdecimal() and len(step) < 8 and int(step) < len(message):
                message = message[int(step)]
            else:
                return None
        return message


def _number(raw: Any, path: _Path) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise RejectError(Reason.NUMBER, f"expected a number at '{path}', got {repr(raw)[:64]}")
    return plausible(raw if isinstance(raw, float) else _as_float(raw))


def _as_float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.inf
