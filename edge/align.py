"""From readings to slots: what each stream's interval is filled with.

A stream's time is cut into slots of its interval. The first reading of a channel in a slot is the
slot's value; a slot is complete once every channel has one, and is closed as it is when a reading of a
later slot comes. So the verdicts do not depend on how the readings were cut into batches.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.reading import Columns, Readings
from edge.state import NEVER, StateTable

EARLIEST = 86_400_000  #: 1970-01-02; a clock that says less was never set
LATEST = 4_102_444_800_000  #: 2100-01-01
LARGEST = 1e100  #: no sensor says more


@dataclass(frozen=True, slots=True)
class Entries(Columns):
    """The slots that a batch of readings has something for; at most one of each stream."""

    row: NDArray[np.int32]  #: (n,) row of the stream in the state table
    slot: NDArray[np.int64]  #: (n,) number of the slot since the epoch
    value: NDArray[np.float64]  #: (n, C) NaN where nothing came
    time: NDArray[np.int64]  #: (n, C) of the newest reading, ms; NEVER where nothing came


@dataclass(slots=True)
class Ignored:
    """How many readings were set aside, by reason; each other one was taken into its slot."""

    invalid: int = 0  #: NaN, infinite or absurdly large, or a time before 1970-01-02 or after 2099
    duplicate: int = 0  #: no newer than the newest reading of its channel
    late: int = 0  #: of a slot that is closed already


class Aligner:
    """Cuts readings into slots against what the state table has seen."""

    def __init__(self, channels: int, interval_ms: int) -> None:
        self.ignored = Ignored()
        self._channels = channels
        self._interval_ms = interval_ms

    def rounds(self, readings: Readings, table: StateTable) -> Iterator[Entries]:
        """Yield the readings' slots in rounds: each stream at most once a round, its slots in order."""
        readings = self._plausible(readings)
        readings, slot = self._in_order(readings, table)
        if len(readings) == 0:
            return
        starts = _starts(readings.stream) | _starts(slot)
        entry = np.cumsum(starts) - 1
        first = np.flatnonzero(starts)
        row, slot = readings.stream[first], slot[first]
        value = np.full((len(first), self._channels), np.nan)
        time = np.full((len(first), self._channels), NEVER)
        cell, earliest = np.unique(entry * self._channels + readings.channel, return_index=True)
        value.flat[cell] = readings.value[earliest]
        np.maximum.at(time, (entry, readings.channel), readings.time)

        begins = np.flatnonzero(_starts(row))
        rank = np.arange(len(row)) - np.repeat(begins, np.diff(begins, append=len(row)))
        entries = Entries(row, slot, value, time)
        if rank.max() == 0:
            yield entries
            return
        for chosen in np.split(np.argsort(rank, kind="stable"), np.cumsum(np.bincount(rank))[:-1]):
            yield entries.take(chosen)

    def _plausible(self, readings: Readings) -> Readings:
        sound = (np.abs(readings.value) < LARGEST) & (readings.time >= EARLIEST) & (readings.time < LATEST)
        if sound.all():
            return readings
        self.ignored.invalid += int(np.count_nonzero(~sound))
        return readings.take(sound)

    def _in_order(self, readings: Readings, table: StateTable) -> tuple[Readings, NDArray[np.int64]]:
        """Sort by stream, keep what is new in order of arrival, and return it with its slots."""
        if not (np.diff(readings.stream) > 0).all():
            readings = readings.take(np.argsort(readings.stream, kind="stable"))
        stream, channel, time = readings.stream, readings.channel, readings.time
        slot = time // self._interval_ms

        open_slot, last_slot = table.field("open_slot", stream), table.field("last_slot", stream)
        on_time = (slot > last_slot) & (slot >= open_slot) & (slot >= _newest_before(stream, slot))

        lane = stream.astype(np.int64) * self._channels + channel
        lanes = np.argsort(lane, kind="stable") if self._channels > 1 else np.arange(len(lane))
        newer = time > table.field("last_time", stream)[np.arange(len(stream)), channel]
        newer[lanes] &= time[lanes] > _newest_before(lane[lanes], time[lanes])

        keep = on_time & newer
        if keep.all():
            return readings, slot
        self.ignored.duplicate += int(np.count_nonzero(~newer))
        self.ignored.late += int(np.count_nonzero(newer & ~on_time))
        return readings.take(keep), slot[keep]


def _starts(group: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Mark where a run of equal neighbours begins; (n,)."""
    return np.concatenate([[True], group[1:] != group[:-1]])[: len(group)]


def _newest_before(group: NDArray[np.integer], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the greatest time earlier in the same run of equal groups; NEVER for the first; (n,)."""
    starts = _starts(group)
    if starts.all():
        return np.full(len(time), NEVER)
    run = np.cumsum(starts)
    origin = int(time.min())
    lift = run * (int(time.max()) - origin + 1)  # lifts each run above all earlier ones
    running = np.maximum.accumulate(time - origin + lift)
    before = np.concatenate([[0], running[:-1]]) - lift + origin
    return np.where(starts, NEVER, before)
