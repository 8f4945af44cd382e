"""Plain JSON, many messages at once: numbers and perhaps their times, at keys of the outermost object.

A message has one number and one time, or an array of each; all that are read at once are of the same kind. A call of
the decoder for each message costs several times what the decoding does. Messages are joined with line
breaks, which no string in JSON may have, and each is seen to begin and end as an object does; so if the decoder finds
as many documents as there are messages, each message is one. Whatever is not plain is left to the one-by-one way,
with the same outcome; so it does not matter which messages come together.
"""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.align import LARGEST
from edge.payloads.timestamps import SURE

LARGEST_PLAIN = 64 * 1024  #: bytes of a payload
_LATEST = 4 * 10**12  # epochs from SURE to here are in milliseconds, and not near the end of time
_NUMBERS = frozenset({int, float})


class Plain(NamedTuple):
    """What messages say, one after the other."""

    counts: list[int]  #: numbers of each message
    values: NDArray[np.float64]  #: (n,) numbers that a sensor may say
    times_ms: NDArray[np.int64] | None  #: (n,) UTC epoch; None if the messages tell none


class PlainJson:
    """Reads messages that have numbers at one key, and if there is a key for it, their times in epoch ms at another."""

    def __init__(self, value: str, time: str | None = None) -> None:
        self._value = value
        self._time = time
        self._quoted = [json.dumps(key, ensure_ascii=False).encode() for key in (value, time) if key is not None]
        self._decode = msgspec.json.Decoder().decode_lines

    def read(self, payloads: Sequence[bytes]) -> Plain | None:
        """Return what the messages say, or None if any is not plain.

        >>> counts, values, times = PlainJson("v", "t").read([b'{"v": 1.5, "t": 1700000000000}'])
        >>> counts, values.tolist(), times.tolist()
        ([1], [1.5], [1700000000000])
        """
        if not (documents := self._documents(payloads)):
            return None
        try:
            values = [document[self._value] for document in documents]
            times = None if self._time is None else [document[self._time] for document in documents]
        except KeyError:
            return None
        counts = [1] * len(values)
        if times is not None and set(map(type, values)) == set(map(type, times)) == {list}:
            counts = list(map(len, values))
            if 0 in counts or list(map(len, times)) != counts:
                return None
            values, times = list(chain.from_iterable(values)), list(chain.from_iterable(times))
        if not set(map(type, values)) <= _NUMBERS or not set(map(type, times or ())) <= {int}:
            return None
        return _as_arrays(counts, values, times)

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


def _as_arrays(counts: list[int], values: list[float], times: list[int] | None) -> Plain | None:
    """Return numbers and times as arrays; None if one is no measurement, or a time that is not surely in ms."""
    try:
        value, time = np.array(values, np.float64), None if times is None else np.array(times, np.int64)
    except OverflowError:
        return None
    if not -LARGEST < value.min() <= value.max() < LARGEST:
        return None
    if time is not None and not SURE <= time.min() <= time.max() < _LATEST:
        return None
    return Plain(counts, value, time)
