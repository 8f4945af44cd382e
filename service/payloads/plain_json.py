"""Plain JSON, many messages at once: one number and perhaps one time in each, at keys of the outermost object.

A call of the decoder for each message costs several times what the decoding does. Messages are joined with line
breaks, which no string in JSON may have, and each is seen to begin and end as an object does; so if the decoder finds
as many documents as there are messages, each message is one. Whatever is not plain is left to the one-by-one way,
with the same outcome; so it does not matter which messages come together.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from edge.align import LARGEST
from edge.payloads.timestamps import SURE

LARGEST_PLAIN = 4096  #: bytes of a payload
_LATEST = 4 * 10**12  # epochs from SURE to here are in milliseconds, and not near the end of time
_NUMBERS = frozenset({int, float})


class Plain(NamedTuple):
    """What messages say, an item each."""

    values: list[float]  #: a number that a sensor may say
    times_ms: list[int] | None  #: UTC epoch; None if the messages tell none


class PlainJson:
    """Reads messages that have a number at one key, and if there is a key for it, a time in epoch ms at another."""

    def __init__(self, value: str, time: str | None = None) -> None:
        self._value = value
        self._time = time
        self._quoted = [json.dumps(key, ensure_ascii=False).encode() for key in (value, time) if key is not None]
        self._decode = msgspec.json.Decoder().decode_lines

    def read(self, payloads: Sequence[bytes]) -> Plain | None:
        """Return what the messages say, or None if any is not plain.

        >>> PlainJson("v", "t").read([b'{"v": 1.5, "t": 1700000000000}', b'{"t": 1700000000001, "v": 2}'])
        Plain(values=[1.5, 2], times_ms=[1700000000000, 1700000000001])
        """
        if not (documents := self._documents(payloads)):
            return None
        try:
            values = [document[self._value] for document in documents]
            times = None if self._time is None else [document[self._time] for document in documents]
        except KeyError:
            return None
        if not set(map(type, values)) <= _NUMBERS or not -LARGEST < min(values) <= max(values) < LARGEST:
            return None
        if times is not None and (set(map(type, times)) != {int} or not SURE <= min(times) <= max(times) < _LATEST):
            return None
        return Plain(values, times)

    def _documents(self, payloads: Sequence[bytes]) -> list[dict[str, Any]]:
        """Return the documents of payloads that are one object each and have each key once; none otherwise."""
        joined, count = b"\n".join(payloads), len(payloads)
        if max(map(len, payloads)) > LARGEST_PLAIN or not (joined.startswith(b"{") and joined.endswith(b"}")):
            return []
        if joined.count(b"\n") != count - 1 or joined.count(b"}\n{") != count - 1:
            return []
        if any(joined.count(quoted) != count for quoted in self._quoted):
            return []
        try:
            documents: list[dict[str, Any]] = self._decode(joined)
        except (ValueError, RecursionError):
            return []
        return documents if len(documents) == count else []
