"""Rows of numbers: one for each channel, in the bundle's order, between spaces, commas, semicolons or tabs."""

import re
from collections.abc import Sequence

from edge.payloads.number import NumberPayload
from edge.payloads.payload import ANYWHERE, LARGEST_PAYLOAD, Run
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match

_BETWEEN = re.compile(rb"\s*[,;]\s*|\s+")


class RowPayload:
    """As many decimal numbers as channels, such as `21.5 1013.2`; their time is the time of receipt."""

    def __init__(self, channels: Sequence[str]) -> None:
        self._channels = channels
        self._number = NumberPayload()

    def parse(self, payload: bytes, _channel: str, _match: Match = ANYWHERE, /) -> list[Run]:
        """Return one value of each channel."""
        if len(payload) > LARGEST_PAYLOAD:
            raise RejectError(Reason.SIZE, f"expected at most {LARGEST_PAYLOAD} bytes, got {len(payload)}")
        parts = _BETWEEN.split(payload.strip())
        if len(parts) != len(self._channels):
            raise RejectError(
                Reason.SYNTAX,
                f"expected {len(self._channels)} numbers ({', '.join(self._channels)}), got {payload[:64]!r}",
            )
        return [
            run
            for part, channel in zip(parts, self._channels, strict=True)
            for run in self._number.parse(part, channel)
        ]
