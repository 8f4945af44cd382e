"""Spans: alarms and labelled windows, as columns."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edge.reading import Columns


@dataclass(frozen=True, slots=True)
class Spans(Columns):
    """Stretches of time, ordered by stream and time; those of one stream do not overlap."""

    stream: NDArray[np.int32]  #: (n,) row of the stream
    start: NDArray[np.int64]  #: (n,) UTC epoch, ms
    end: NDArray[np.int64]  #: (n,) the first moment after it

    @classmethod
    def merged(cls, stream: NDArray[np.int32], start: NDArray[np.int64], end: NDArray[np.int64]) -> Self:
        """Return stretches in any order as spans; those of a stream that overlap become one."""
        order = np.lexsort((start, stream))
        stream, start, end = stream[order], start[order], end[order]
        reach = end.copy()
        for row in np.flatnonzero(stream[1:] == stream[:-1]) + 1:
            reach[row] = max(reach[row], reach[row - 1])
        begins = np.ones(len(stream), bool)
        begins[1:] = (stream[1:] != stream[:-1]) | (start[1:] >= reach[:-1])
        last = np.append(np.flatnonzero(begins)[1:] - 1, len(stream) - 1) if len(stream) else np.zeros(0, np.intp)
        return cls(stream[begins], start[begins], reach[last])

    def overlapped_by(self, others: "Spans") -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows from (n,) and up to (n,), not included, of the others that overlap each span."""
        if not len(self) or not len(others):
            return np.zeros(len(self), np.intp), np.zeros(len(self), np.intp)
        origin = min(int(self.start.min()), int(others.start.min()))
        stride = max(int(self.end.max()), int(others.end.max())) - origin + 1
        start, end = (_line(self.stream, time - origin, stride) for time in (self.start, self.end))
        first = np.searchsorted(_line(others.stream, others.end - origin, stride), start, "right")
        stop = np.searchsorted(_line(others.stream, others.start - origin, stride), end, "left")
        return first, np.maximum(first, stop)


def _line(stream: NDArray[np.int32], time: NDArray[np.int64], stride: int) -> NDArray[np.int64]:
    """Return moments of many streams on one line, a stream after the other."""
    return stream.astype(np.int64) * stride + time
