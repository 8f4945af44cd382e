"""Recordings: what streams did in the past, slot by slot; what forecasters are trained on."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from edge.align import is_plausible
from edge.errors import DataError
from edge.manifest import Channel
from models.data.account import Account, Counts
from models.data.selection import Selection, select
from models.data.slots import Slots
from models.data.sources.source import Block, Source
from models.data.spacing import Spacing, measure_spacing

MOST_SLOTS = 50_000_000  #: of one stream; more means a wrong time or interval
MEASURED = 1_000_000  #: readings, the first ones, that tell the interval

_USELESS = "no reading of it can be used"


@dataclass(frozen=True, slots=True)
class Data:
    """A source and what is asked for of it."""

    source: Source
    channels: tuple[str, ...]
    selection: Selection = field(default_factory=Selection)
    counts: Counts = field(default_factory=Counts)  #: of what has been read so far

    def blocks(self) -> Iterator[Block]:
        """Yield the readings that are asked for, in order."""
        return select(self.source.blocks(), self.selection, self.counts)


@dataclass(frozen=True, slots=True)
class Recording:
    """One stream's slots, without a break: slot number `first` + k since the epoch is row k."""

    name: str
    channels: tuple[str, ...]
    interval_ms: int
    first: int
    values: NDArray[np.float64]  #: (T, C) NaN where nothing came

    @property
    def slots(self) -> NDArray[np.int64]:
        """Return the slots' numbers since the epoch (T,)."""
        return self.first + np.arange(len(self.values))

    def part(self, rows: slice) -> "Recording":
        """Return some of its rows; the slice has a start and a stop."""
        return replace(self, first=self.first + rows.start, values=self.values[rows])


def read_recordings(
    data: Data, interval_ms: int | None = None, channels: Sequence[Channel] | None = None
) -> tuple[list[Recording], Account]:
    """Read the streams of a source, and say what became of its readings.

    Without an interval it is the median spacing of the first million readings. What is held of the source
    is these and the slots, however long it is.
    """
    blocks, beginning, held = data.blocks(), list[Block](), 0
    for block in blocks:
        beginning.append(block)
        held += len(block.readings)
        if held >= MEASURED:
            break
    spacing = measure_spacing([block.readings for block in beginning], len(data.channels))
    interval = interval_ms or _interval(data, spacing)
    channels = channels or tuple(Channel(name) for name in data.channels)
    names, streams = _fill(data, interval, channels, chain(beginning, blocks))
    recordings = [
        Recording(name, data.channels, interval, each.first, each.close())
        for name, each in zip(names, streams, strict=True)
        if each.count
    ]
    _check(data, recordings)
    left_out = {name: _USELESS for name, each in zip(names, streams, strict=True) if not each.count}
    gaps = np.concatenate([_gaps(each) for each in recordings])
    return recordings, Account(
        counts=data.counts,
        interval_ms=interval,
        interval_given=interval_ms is not None,
        spacing=spacing,
        streams=len(recordings),
        slots=sum(len(each.values) for each in recordings),
        gaps=len(gaps),
        longest_gap=int(gaps.max(initial=0)),
        left_out=left_out,
    )


def fingerprint(recordings: Sequence[Recording]) -> dict[str, object]:
    """Return what tells this data from any other: SHA-256 of names, times and values, rows and period."""
    digest, rows = hashlib.sha256(), 0
    for each in recordings:
        digest.update(f"{each.name} {each.channels} {each.interval_ms} {each.first} ".encode())
        digest.update(np.ascontiguousarray(each.values, "<f8").data)
        rows += int(np.isfinite(each.values).any(axis=1).sum())
    start = min(each.first * each.interval_ms for each in recordings)
    end = max((each.first + len(each.values)) * each.interval_ms for each in recordings)
    return {
        "sha256": digest.hexdigest(),
        "rows": rows,
        "streams": len(recordings),
        "start": _iso(start),
        "end": _iso(end),
    }


def _interval(data: Data, spacing: Spacing | None) -> int:
    if spacing is None:
        raise DataError(
            f"{data.source.label}: expected at least two times of one stream to tell the interval from, "
            f"got {_what_came(data)}"
        )
    return spacing.interval_ms


def _fill(
    data: Data, interval_ms: int, channels: Sequence[Channel], blocks: Iterator[Block]
) -> tuple[list[str], list[Slots]]:
    """Return the names and the slots of all streams."""
    names: list[str] = []
    streams: list[Slots] = []
    for block in blocks:
        names, counts = block.names, data.counts
        streams += [Slots(channels, interval_ms) for _ in range(len(names) - len(streams))]
        readings = block.readings
        sound = is_plausible(readings)
        counts.invalid += int(np.count_nonzero(~sound))
        readings = readings.take(np.flatnonzero(sound)[np.argsort(readings.stream[sound], kind="stable")])
        edges = np.flatnonzero(np.diff(readings.stream, prepend=-1, append=-1))
        for low, high in pairwise(edges.tolist()):
            row = int(readings.stream[low])
            slot, slots = readings.time[low:high] // interval_ms, streams[row]
            _check_length(data, names[row], interval_ms, slots.first if slots.count else int(slot[0]), int(slot[-1]))
            new = slots.add(readings.time[low:high], readings.channel[low:high], readings.value[low:high])
            counts.used += new
            counts.repeated += high - low - new
    return names, streams


def _check_length(data: Data, name: str, interval_ms: int, first: int, last: int) -> None:
    if (count := last - first + 1) > MOST_SLOTS:
        raise DataError(
            f"{data.source.label}: {name}: expected at most {MOST_SLOTS} slots of {interval_ms} ms, got {count} "
            f"from {_iso(first * interval_ms)} to {_iso(last * interval_ms)}; give a longer interval or a period"
        )


def _check(data: Data, recordings: Sequence[Recording]) -> None:
    if not recordings:
        raise DataError(f"{data.source.label}: expected at least one reading that can be used, got {_what_came(data)}")
    there = np.any([np.isfinite(each.values).any(axis=0) for each in recordings], axis=0)
    for channel in np.flatnonzero(~there):
        raise DataError(f"{data.source.label}: {data.channels[channel]}: expected a number somewhere, got none")


def _what_came(data: Data) -> str:
    counts = data.counts
    return (
        f"{counts.readings} readings in {counts.rows} rows, of which {counts.excluded} are excluded, {counts.outside} "
        f"outside the period, {counts.other} of other streams"
    )


def _gaps(recording: Recording) -> NDArray[np.int64]:
    """Return the lengths of the runs of slots that nothing came for (n,)."""
    there = np.flatnonzero(np.isfinite(recording.values).any(axis=1))
    missing = np.diff(there) - 1
    return missing[missing > 0]


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
