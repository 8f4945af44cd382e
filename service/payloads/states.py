"""State topics of ESPHome and of Home Assistant's statestream: a number as text, or a word for none."""

from edge.payloads.number import NumberPayload
from edge.payloads.payload import ANYWHERE, Run
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match

#: what they send while a sensor has no value
WORDS = frozenset({b"", b"unavailable", b"unknown", b"none", b"null", b"nan", b"na"})


class StatePayload:
    """One decimal number, such as `21.5`; its time is the time of receipt."""

    def __init__(self) -> None:
        self._number = NumberPayload()

    def parse(self, payload: bytes, channel: str, _match: Match = ANYWHERE, /) -> list[Run]:
        """Return one value."""
        if payload[:16].strip().lower() in WORDS:
            raise RejectError(Reason.UNAVAILABLE, f"expected the state of a sensor that has one, got {payload[:64]!r}")
        return self._number.parse(payload, channel)
