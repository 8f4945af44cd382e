"""Rejects: why a message was set aside instead of scored."""

from enum import StrEnum


class Reason(StrEnum):
    """Every reason there is; what is counted and stored with a dead letter."""

    TOPIC = "topic"  #: matches no monitor, or names nothing that could be a stream
    CHANNEL = "channel"  #: the bundle does not know the channel
    STREAMS = "too-many-streams"  #: a new stream beyond the monitor's max_streams
    SIZE = "too-large"
    SYNTAX = "syntax"  #: not of the payload's form at all
    MISSING = "missing"  #: nothing where the value or the time should be
    NUMBER = "not-a-number"
    UNAVAILABLE = "unavailable"  #: the sensor says that it has no value
    TIME = "time"  #: not a time, or before 1970-01-02 or after 2099
    UNIT = "time-unit"  #: an epoch in another unit than the stream's before
    FUTURE = "future"  #: later than the receipt by more than the clocks may differ
    ALIAS = "unknown-alias"  #: a number that stands for a name which has not been told
    UNEXPECTED = "unexpected"  #: a fault of ours; the log has its traceback


class RejectError(Exception):
    """A message that cannot be scored, with its reason and what was expected and got."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
