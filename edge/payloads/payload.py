"""What every payload convention does."""

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from edge.align import LARGEST
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match

LARGEST_PAYLOAD = 256 * 1024  #: bytes that are read, and kept of a message set aside so that it can be read again
MOST_AHEAD_MS = 10 * 60_000  #: what a device's clock may be ahead of ours
LONGEST_NAME = 256  #: characters of a name that a message tells
ANYWHERE = Match("", None)  #: a topic that says nothing
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NO_LEVEL = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "%/+#"})


class Run(NamedTuple):
    """Values of one channel of one stream, as a message tells them."""

    channel: str
    values: Sequence[float]  #: at least one, in the channel's unit; finite and below LARGEST
    times_ms: Sequence[int] | None = None  #: of each, UTC epoch; None: not told, the time of receipt counts
    stream: str = ""  #: what the message itself adds to the name of its topic's stream
    from_receipt: bool = False  #: whether the times are told as ms after (before: negative) the receipt


class Payload(Protocol):
    """Turns the bytes of one message into runs of values."""

    def parse(self, payload: bytes, channel: str, match: Match = ANYWHERE, /) -> list[Run]:
        """Return the runs; RejectError if there should be some and there are none to be had.

        `channel` is the channel that the topic names, or the only one of the bundle; a convention that
        names channels itself ignores it. There are no runs if the message is none of readings, such as a
        notice that a device has gone, or has none that are asked for.
        """
        ...


def plausible(value: float) -> float:
    """Return a value that a sensor may say; RejectError for one that is not finite or beyond all sensors."""
    if not abs(value) < LARGEST:
        raise RejectError(Reason.NUMBER, f"expected a number below {LARGEST:g}, got {value:g}")
    return value


def as_level(name: str) -> str:
    """Return a name that a message tells as one level of a stream's; RejectError if it cannot be one.

    >>> as_level("pump 1"), as_level("a/b")
    ('pump 1', 'a%2Fb')
    """
    if not name or len(name) > LONGEST_NAME or _CONTROL.search(name):
        raise RejectError(
            Reason.TOPIC, f"expected a name of at most {LONGEST_NAME} printable characters, got {name[:64]!r}"
        )
    return name.translate(_NO_LEVEL)


def times_of(run: Run, received_ms: int) -> list[int]:
    """Return the times of a run's values (UTC epoch ms); RejectError if one is too far ahead of their receipt."""
    if run.times_ms is None:
        return [received_ms] * len(run.values)
    times_ms = [received_ms + time for time in run.times_ms] if run.from_receipt else list(run.times_ms)
    if (ahead := max(times_ms) - received_ms) > MOST_AHEAD_MS:
        raise RejectError(
            Reason.FUTURE,
            f"expected a time at most {MOST_AHEAD_MS // 60_000} min ahead, got {ahead / 60_000:.0f} min",
        )
    return times_ms
