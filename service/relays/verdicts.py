"""Verdicts as the JSON that leaves the service."""

from collections.abc import Iterator

import msgspec

from edge.messages.verdict import verdict_documents
from service.pipeline.transaction import Scored

_encode = msgspec.json.Encoder().encode


def verdict_messages(scored: Scored) -> Iterator[tuple[str, bytes]]:
    """Yield the stream and the JSON of each verdict."""
    documents = verdict_documents(scored.verdicts, scored.monitor, scored.bundle, scored.streams, scored.channels)
    return ((stream, _encode(document)) for stream, document in documents)
