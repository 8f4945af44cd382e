"""Readings and verdicts: what goes into the engine and what comes out, as columns."""

from collections.abc import Iterator
from dataclasses import Field, dataclass
from enum import IntEnum
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray


class Status(IntEnum):
    """What a verdict says about its slot."""

    LEARNING = 0  #: too little has been seen of the stream to judge it
    NORMAL = 1
    ANOMALY = 2  #: the score has reached 1.0


class Change(IntEnum):
    """What a verdict did to the alarm of its stream."""

    NONE = 0
    OPENED = 1
    CLOSED = 2
    ACCEPTED = 3  #: closed, and the level the stream has moved to is normal from now on


class Columns:
    """What record batches have in common: equally long arrays, one row an item."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __len__(self) -> int:
        return len(getattr(self, next(iter(self.__dataclass_fields__))))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Self:
        """Return the chosen rows of every column, in the order chosen."""
        return type(self)(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def blocks(self, size: int) -> Iterator[Self]:
        """Yield all rows in order, at most so many at a time."""
        if len(self) <= size:
            yield self
            return
        for start in range(0, len(self), size):
            yield self.take(slice(start, start + size))

    @classmethod
    def concatenate(cls, batches: list[Self]) -> Self:
        """Return one batch holding the rows of all, in order. The list must not be empty."""
        if len(batches) == 1:
            return batches[0]
        return cls(*(np.concatenate([getattr(b, name) for b in batches]) for name in cls.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Readings(Columns):
    """Readings in the order in which they arrived; n of them."""

    stream: NDArray[np.int32]  #: (n,) row of the stream in the state table
    channel: NDArray[np.int16]  #: (n,) index of the channel within the stream
    time: NDArray[np.int64]  #: (n,) UTC epoch, milliseconds
    value: NDArray[np.float64]  #: (n,) in the channel's unit


@dataclass(frozen=True, slots=True)
class Arrivals(Readings):
    """Readings on their way to their slots, with what is known to be wrong with them."""

    flaw: NDArray[np.uint8]  #: (n,) flags of edge.quality.Quality


@dataclass(frozen=True, slots=True)
class Verdicts(Columns):
    """All that is said about n slots of streams with C channels."""

    stream: NDArray[np.int32]  #: (n,) row of the stream in the state table
    time: NDArray[np.int64]  #: (n,) start of the slot, UTC epoch, milliseconds
    status: NDArray[np.uint8]  #: (n,) a Status
    score: NDArray[np.float32]  #: (n,) 1.0 is the limit; NaN where nothing could be scored
    channel: NDArray[np.int16]  #: (n,) the channel that contributed most; -1 where there is no score
    value: NDArray[np.float64]  #: (n, C) observed, in units; NaN where nothing came
    expected: NDArray[np.float64]  #: (n, C) the forecast, in units
    lower: NDArray[np.float64]  #: (n, C) least value whose error alone is no anomaly
    upper: NDArray[np.float64]  #: (n, C) greatest such value
    alarm: NDArray[np.int64]  #: (n,) start of the open alarm, ms; 0 where there is none
    change: NDArray[np.uint8]  #: (n,) a Change
    share: NDArray[np.float32]  #: (n, C) each channel's part in the score, of 1 in all; NaN while learning
    signal: NDArray[np.int8]  #: (n,) index of the most surprising of state.SIGNALS; -1 where there is no score
    once_in: NDArray[np.float32]  #: (n,) mean slots between scores this high while nothing is wrong; NaN while learning
    achieved: NDArray[np.float32]  #: (n,) alarms of the stream so far over its budget's; NaN before that allows one
    coverage: NDArray[np.float32]  #: (n,) share of the channels with a clean value
    quality: NDArray[np.uint8]  #: (n, C) flags of edge.quality.Quality; 0 is clean
    ready_in: NDArray[np.int32]  #: (n,) slots until the stream is judged; 0 once it is
