"""Verdicts as the JSON that leaves the service."""

from collections.abc import Iterator

import msgspec

from edge.messages.verdict import verdict_documents
from service.pipeline.transaction import Scored

_BLOCK = 1000  # verdicts that are objects of Python at a time

_encode = msgspec.json.Encoder().encode


def verdict_messages(scored: Scored) -> Iterator[tuple[str, bytes]]:
    """Yield the stream and the JSON of each verdict."""
    names = scored.monitor, scored.bundle, scored.streams, scored.channels
    for first in range(0, len(scored.verdicts), _BLOCK):
        block = (
            scored.verdicts if len(scored.verdicts) <= _BLOCK else scored.verdicts.take(slice(first, first + _BLOCK))
        )
        for stream, document in verdict_documents(block, *names):
            yield stream, _encode(document)
