"""Runs: what one message says, each value with its time."""

from collections.abc import Callable

from service.payloads.compression import expand
from service.payloads.payload import Run
from service.pipeline.inbox import Message
from service.pipeline.rejects import Reason, RejectError
from service.pipeline.topics import Match

LARGEST_PAYLOAD = 256 * 1024  #: bytes that are read, and kept of a dead letter so that it can be read again
MOST_AHEAD_MS = 10 * 60_000  #: what a device's clock may be ahead of ours


def read_runs(
    message: Message, match: Match, parse: Callable[[Match, bytes], list[Run]]
) -> list[tuple[Run, list[int]]]:
    """Return each run with the times of its values (UTC epoch ms); RejectError if the message cannot be read."""
    if len(message.payload) > LARGEST_PAYLOAD:
        raise RejectError(Reason.SIZE, f"expected at most {LARGEST_PAYLOAD} bytes, got {len(message.payload)}")
    payload = expand(message.payload, LARGEST_PAYLOAD)
    return [(run, _times(run, message.received_ms)) for run in parse(match, payload)]


def _times(run: Run, received_ms: int) -> list[int]:
    if run.times_ms is None:
        return [received_ms] * len(run.values)
    times_ms = [received_ms + time for time in run.times_ms] if run.from_receipt else list(run.times_ms)
    if (ahead := max(times_ms) - received_ms) > MOST_AHEAD_MS:
        raise RejectError(
            Reason.FUTURE,
            f"expected a time at most {MOST_AHEAD_MS // 60_000} min ahead, got {ahead / 60_000:.0f} min",
        )
    return times_ms
