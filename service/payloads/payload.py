"""What every payload convention does."""

from typing import NamedTuple, Protocol

from edge.align import LARGEST
from service.rejects import Reason, RejectError


class Sample(NamedTuple):
    """One value of one channel, as a message tells it."""

    channel: str
    value: float  #: in the channel's unit; finite and below LARGEST
    time_ms: int | None  #: UTC epoch; None: the message does not say, the time of receipt counts


class Payload(Protocol):
    """Turns the bytes of one message into samples."""

    def parse(self, payload: bytes, channel: str) -> list[Sample]:
        """Return the samples, at least one; RejectError if there is none to be had.

        `channel` is the channel that the topic names, or the only one of the bundle; a convention that
        names channels itself ignores it.
        """
        ...


def plausible(value: float) -> float:
    """Return a value that a sensor may say; RejectError for one that is not finite or beyond all sensors."""
    if not abs(value) < LARGEST:
        raise RejectError(Reason.NUMBER, f"expected a number below {LARGEST:g}, got {value:g}")
    return value
