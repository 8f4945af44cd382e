"""Samples: what one message says, each value with its time."""

from collections.abc import Callable

from service.inbox import Message
from service.payloads.payload import Sample
from service.rejects import Reason, RejectError
from service.topics import Match

LARGEST_PAYLOAD = 256 * 1024  #: bytes
MOST_AHEAD_MS = 10 * 60_000  #: what a device's clock may be ahead of ours


def read_samples(
    message: Message, match: Match, parse: Callable[[Match, bytes], list[Sample]]
) -> list[tuple[str, int, float]]:
    """Return channel, time (UTC epoch ms) and value of each sample; RejectError if the message cannot be read."""
    if len(message.payload) > LARGEST_PAYLOAD:
        raise RejectError(Reason.SIZE, f"expected at most {LARGEST_PAYLOAD} bytes, got {len(message.payload)}")
    samples = parse(match, message.payload)
    times = [message.received_ms if sample.time_ms is None else sample.time_ms for sample in samples]
    if (ahead := max(times) - message.received_ms) > MOST_AHEAD_MS:
        raise RejectError(
            Reason.FUTURE,
            f"expected a time at most {MOST_AHEAD_MS // 60_000} min ahead, got {ahead / 60_000:.0f} min",
        )
    return [(sample.channel, time, sample.value) for sample, time in zip(samples, times, strict=True)]
