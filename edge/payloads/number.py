"""Plain numbers: the message is one decimal number as text, and nothing else."""

import re

from edge.payloads.payload import ANYWHERE, Run, plausible
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match

LONGEST = 64  #: bytes; a double needs 24
_DECIMAL = re.compile(rb"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")


class NumberPayload:
    """One finite decimal number, such as `21.5`; its time is the time of receipt."""

    def parse(self, payload: bytes, channel: str, _match: Match = ANYWHERE, /) -> list[Run]:
        """Return one value."""
        # float() alone would take 1_000, digits of other scripts, nan and inf
        if len(payload) > LONGEST or _DECIMAL.fullmatch(payload) is None:
            raise RejectError(Reason.NUMBER, f"expected a decimal number such as 21.5, got {payload[:LONGEST]!r}")
        return [Run(channel, [plausible(float(payload))])]
