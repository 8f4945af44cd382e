"""What every payload convention does."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from edge.align import LARGEST
from service.rejects import Reason, RejectError


class Run(NamedTuple):
    """Values of one channel of one stream, as a message tells them."""

    channel: str
    values: Sequence[float]  #: at least one, in the channel's unit; finite and below LARGEST
    times_ms: Sequence[int] | None = None  #: of each, UTC epoch; None: not told, the time of receipt counts
    stream: str = ""  #: what the message itself adds to the name of its topic's stream


class Payload(Protocol):
    """Turns the bytes of one message into runs of values."""

    def parse(self, payload: bytes, channel: str) -> list[Run]:
        """Return the runs, at least one; RejectError if there is none to be had.

        `channel` is the channel that the topic names, or the only one of the bundle; a convention that
        names channels itself ignores it.
        """
        ...


def plausible(value: float) -> float:
    """Return a value that a sensor may say; RejectError for one that is not finite or beyond all sensors."""
    if not abs(value) < LARGEST:
        raise RejectError(Reason.NUMBER, f"expected a number below {LARGEST:g}, got {value:g}")
    return value
