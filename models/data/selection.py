"""Selection: which readings of a source are used, by stream and time."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.errors import DataError
from models.data.account import Counts
from models.data.periods import Period
from models.data.sources.source import Block

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for of a source; all of it if nothing is said."""

    start_ms: int | None = None  #: UTC epoch
    end_ms: int | None = None  #: not included
    excluded: tuple[Period, ...] = ()
    only: frozenset[str] = frozenset()  #: streams; all if empty


def select(blocks: Iterable[Block], selection: Selection, counts: Counts) -> Iterator[Block]:
    """Yield what a selection leaves of each block, and count what it drops.

    A stream that was not asked for has no row in what is yielded. DataError if one asked for never comes.
    """
    chosen = _Chosen(selection.only)
    excluded = _Excluded(selection.excluded)
    names: list[str] = []
    for block in blocks:
        names = block.names
        counts.rows += block.rows
        counts.empty += block.empty
        counts.readings += len(block.readings)
        asked = chosen.take(block)
        counts.other += len(block.readings) - len(asked.readings)
        inside = _kept(asked, _inside(asked.readings.time, selection))
        counts.outside += len(asked.readings) - len(inside.readings)
        free = _kept(inside, ~excluded.mark(inside))
        counts.excluded += len(inside.readings) - len(free.readings)
        yield free
    if missing := sorted(selection.only - set(names)):
        raise DataError(f"--only: expected a stream that is there ({_some(names)}), got {missing[0]!r}")
    if missing := sorted({each.stream for each in selection.excluded if each.stream is not None} - set(names)):
        _log.warning("an excluded period is of stream %r, which is not there (%s)", missing[0], _some(names))


class _Chosen:
    """Gives the streams that were asked for rows of their own."""

    def __init__(self, only: frozenset[str]) -> None:
        self._only = only
        self._names: list[str] = []
        self._row = np.zeros(0, np.int32)  # by row of the source; -1 where it was not asked for

    def take(self, block: Block) -> Block:
        """Return the block with only their readings."""
        if not self._only:
            return block
        for name in block.names[len(self._row) :]:
            wanted = name in self._only
            self._row = np.append(self._row, np.int32(len(self._names) if wanted else -1))
            self._names += [name] * wanted
        readings = replace(block.readings, stream=self._row[block.readings.stream])
        return replace(block, names=list(self._names), readings=readings.take(readings.stream >= 0))


class _Excluded:
    """Knows which times are excluded, of all streams and of single ones."""

    def __init__(self, periods: tuple[Period, ...]) -> None:
        self._of = {
            stream: _merged([each for each in periods if each.stream == stream])
            for stream in {each.stream for each in periods}
        }

    def mark(self, block: Block) -> NDArray[np.bool_]:
        """Return which readings of a block are excluded (n,)."""
        stream, time = block.readings.stream, block.readings.time
        marked = np.zeros(len(time), bool)
        for name, (start, end) in self._of.items():
            if name is None:
                marked |= _within(time, start, end)
            elif name in block.names:
                rows = np.flatnonzero(stream == block.names.index(name))
                marked[rows] |= _within(time[rows], start, end)
        return marked


def _merged(periods: list[Period]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return starts and ends of periods, in order, what overlaps being one."""
    merged: list[list[int]] = []
    for start, end in sorted((each.start_ms, each.end_ms) for each in periods):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    edges = np.array(merged, np.int64)
    return edges[:, 0], edges[:, 1]


def _within(time: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.bool_]:
    before = np.searchsorted(start, time, side="right") - 1
    return (before >= 0) & (time < end[before])


def _inside(time: NDArray[np.int64], selection: Selection) -> NDArray[np.bool_]:
    inside = np.ones(len(time), bool)
    if selection.start_ms is not None:
        inside &= time >= selection.start_ms
    if selection.end_ms is not None:
        inside &= time < selection.end_ms
    return inside


def _kept(block: Block, kept: NDArray[np.bool_]) -> Block:
    return block if kept.all() else replace(block, readings=block.readings.take(kept))


def _some(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
