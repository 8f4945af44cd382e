"""Runs: what one message says, each value with its time."""

from collections.abc import Callable

from edge.inbox import Message
from edge.payloads.payload import LARGEST_PAYLOAD, Run, times_of
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match
from service.payloads.compression import expand


def read_runs(
    message: Message, match: Match, parse: Callable[[Match, bytes], list[Run]]
) -> list[tuple[Run, list[int]]]:
    """Return each run with the times of its values (UTC epoch ms); RejectError if the message cannot be read."""
    if len(message.payload) > LARGEST_PAYLOAD:
        raise RejectError(Reason.SIZE, f"expected at most {LARGEST_PAYLOAD} bytes, got {len(message.payload)}")
    payload = expand(message.payload, LARGEST_PAYLOAD)
    return [(run, times_of(run, message.received_ms)) for run in parse(match, payload)]
