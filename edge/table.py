"""The table of verdicts: one row for each slot and channel, as CSV.

`foresense detect` writes it from recorded data, `foresense verdicts` from a service's database; from the same
readings both write the same bytes.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, TextIO

import numpy as np
from numpy.typing import NDArray

from edge.quality import words
from edge.reading import Columns, Status, Verdicts

HEADER = "stream,time,channel,value,expected,lower,upper,score,status,alarm,coverage,quality"
BLOCK_SLOTS = 100_000  #: made into text at a time


@dataclass(frozen=True, slots=True)
class Slots(Columns):
    """What the table tells of n slots of streams with C channels; the columns mean what they do in Verdicts."""

    stream: NDArray[np.int32]  #: (n,)
    time: NDArray[np.int64]  #: (n,)
    status: NDArray[np.uint8]  #: (n,)
    score: NDArray[np.float32]  #: (n,)
    value: NDArray[np.float64]  #: (n, C)
    expected: NDArray[np.float64]  #: (n, C)
    lower: NDArray[np.float64]  #: (n, C)
    upper: NDArray[np.float64]  #: (n, C)
    alarm: NDArray[np.int64]  #: (n,)
    coverage: NDArray[np.float32]  #: (n,)
    quality: NDArray[np.uint8]  #: (n, C)

    @classmethod
    def of(cls, verdicts: Verdicts) -> Self:
        """Return what the table tells of verdicts."""
        return cls(
            verdicts.stream, verdicts.time, verdicts.status, verdicts.score,
            verdicts.value, verdicts.expected, verdicts.lower, verdicts.upper, verdicts.alarm,
            verdicts.coverage, verdicts.quality,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """Successive rows of the table: slots, and the names their numbers stand for."""

    streams: Sequence[str]  #: by row
    channels: Sequence[str]
    slots: Slots


def write_table(file: TextIO, parts: Iterable[Part]) -> None:
    """Write the table; numbers have up to ten digits, unknown ones none; times are UTC."""
    file.write(HEADER + "\n")
    for part in parts:
        streams, channels = ([_quoted(name) for name in names] for names in (part.streams, part.channels))
        for first in range(0, len(part.slots), BLOCK_SLOTS):
            rows = np.arange(first, min(first + BLOCK_SLOTS, len(part.slots)))
            file.writelines(_lines(part.slots.take(rows), streams, channels))


def _lines(slots: Slots, streams: Sequence[str], channels: Sequence[str]) -> Iterator[str]:
    columns = [
        [_numbers(each[:, k]) for each in (slots.value, slots.expected, slots.lower, slots.upper)]
        for k in range(len(channels))
    ]
    told = zip(slots.stream, stamps(slots.time), _numbers(slots.score), slots.status, stamps(slots.alarm), strict=True)
    quality = slots.quality.tolist()
    for row, (stream, time, score, status, alarm) in enumerate(told):
        end = f"{score},{Status(status).name.lower()},{alarm if slots.alarm[row] else ''},{slots.coverage[row]:.4g}"
        for channel, (value, expected, lower, upper), flags in zip(channels, columns, quality[row], strict=True):
            numbers = f"{value[row]},{expected[row]},{lower[row]},{upper[row]}"
            yield f"{streams[stream]},{time},{channel},{numbers},{end},{words(flags)}\n"


def _numbers(column: NDArray[np.floating]) -> list[str]:
    return ["" if math.isnan(number) else f"{number:.10g}" for number in column.tolist()]


def stamps(column: NDArray[np.int64]) -> list[str]:
    """Return times (UTC epoch, ms) as ISO 8601."""
    texts: list[str] = np.datetime_as_string(column.astype("datetime64[ms]"), unit="ms", timezone="UTC").tolist()
    return texts


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(sign in name for sign in ',"\r\n') else name
