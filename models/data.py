"""Recordings: what streams did in the past, slot by slot; what forecasters are trained on."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from edge.errors import DataError
from models.table import Table, read_blocks

MOST_SLOTS = 50_000_000  #: of one stream; more means a wrong time or interval

_log = logging.getLogger(__name__)


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

    def cut(self, start_ms: int | None, end_ms: int | None) -> "Recording":
        """Return the part from a time up to, not including, another; both UTC epoch milliseconds."""
        low, high = 0, len(self.values)
        if start_ms is not None:
            low = min(max(-(-start_ms // self.interval_ms) - self.first, low), high)
        if end_ms is not None:
            high = max(min(-(-end_ms // self.interval_ms) - self.first, high), low)
        return self.part(slice(low, high))


def read_recordings(table: Table, interval_ms: int | None = None) -> list[Recording]:
    """Read a table's streams; without an interval it is the median spacing of their times."""
    blocks = list(read_blocks(table))
    names, device = blocks[-1].names, np.concatenate([block.device for block in blocks])
    time = np.concatenate([block.time for block in blocks])
    value = np.concatenate([block.value for block in blocks])
    parts = np.split(np.argsort(device, kind="stable"), np.cumsum(np.bincount(device))[:-1])
    repeated = sum(int(np.count_nonzero(np.diff(time[rows]) == 0)) for rows in parts)
    if repeated:
        _log.warning(
            "%s: %d rows repeat their stream's last time; does a device column tell them apart?", table.path, repeated
        )
    if interval_ms is None:
        interval_ms = _median_spacing(table, [time[rows] for rows in parts])
    return [
        _recording(table, name, interval_ms, time[rows], value[rows]) for name, rows in zip(names, parts, strict=True)
    ]


def fingerprint(recordings: Sequence[Recording]) -> dict[str, object]:
    """Return what tells this data from any other: SHA-256 of names, times and values, rows and period."""
    digest, rows = hashlib.sha256(), 0
    for each in recordings:
        digest.update(f"{each.name} {each.channels} {each.interval_ms} {each.first} ".encode())
        digest.update(np.ascontiguousarray(each.values, "<f8").tobytes())
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


def _recording(
    table: Table, name: str, interval_ms: int, time: NDArray[np.int64], value: NDArray[np.float64]
) -> Recording:
    """Return the slots of one stream's rows; the first reading of a channel in a slot is the slot's value."""
    slot = time // interval_ms
    first, count = int(slot[0]), int(slot[-1] - slot[0] + 1)
    if count > MOST_SLOTS:
        raise DataError(
            f"{table.path}: {name}: expected at most {MOST_SLOTS} slots of {interval_ms} ms, got {count} "
            f"from {_iso(int(time[0]))} to {_iso(int(time[-1]))}; give a longer interval or a period"
        )
    values = np.full((count, value.shape[1]), np.nan)
    row, channel = np.nonzero(np.isfinite(value[::-1]))
    values[slot[::-1][row] - first, channel] = value[::-1][row, channel]
    return Recording(name, table.channels, interval_ms, first, values)


def _median_spacing(table: Table, times: list[NDArray[np.int64]]) -> int:
    spacing = np.concatenate([np.diff(time) for time in times])
    spacing = spacing[spacing > 0]
    if spacing.size == 0:
        raise DataError(f"{table.path}: expected at least two times of one stream to tell the interval from, got one")
    median = int(np.median(spacing))
    seconds = round(median / 1000) * 1000
    return seconds if seconds and abs(seconds - median) <= 0.02 * median else median  # a device's clock jitters


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
