"""From readings to slots: what each stream's interval is filled with.

A stream's time is cut into slots of its interval. The readings of a channel in a slot become its value by the
channel's aggregate. Where that is the first reading everywhere, a slot is complete once every channel has one;
any slot is closed as it is when a reading of a later slot comes. So the verdicts do not depend on how the readings
were cut into batches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.across import all_set, some, some_number
from edge.aggregate import Aggregator, fills, rates
from edge.clock import Clock
from edge.manifest import Channel
from edge.quality import Quality
from edge.reading import Arrivals, Columns, Readings
from edge.runs import newest_before, run_ranks, run_starts, stable_order
from edge.state import NEVER, StateTable
from edge.waiting import WaitingRoom

EARLIEST = 86_400_000  #: 1970-01-02; a clock that says less was never set
LATEST = 4_102_444_800_000  #: 2100-01-01
LARGEST = 1e100  #: no sensor says more
_LARGEST, _EARLIEST, _LATEST = np.array(LARGEST), np.array(EARLIEST), np.array(LATEST)


@dataclass(frozen=True, slots=True)
class Entries(Columns):
    """The slots that a batch of readings has something for; at most one of each stream."""

    row: NDArray[np.int32]  #: (n,) row of the stream in the state table
    slot: NDArray[np.int64]  #: (n,) number of the slot since the epoch
    value: NDArray[np.float64]  #: (n, C) with what the slot had already; NaN where nothing came
    count: NDArray[np.uint32]  #: (n, C) readings that were added up in it
    time: NDArray[np.int64]  #: (n, C) of the newest reading, ms; NEVER where nothing came
    flaw: NDArray[np.uint8]  #: (n, C) flags of edge.quality.Quality


@dataclass(slots=True)
class Ignored:
    """How many readings were set aside, by reason; each other one was taken into its slot."""

    invalid: int = 0  #: NaN, infinite or absurdly large, or a time before 1970-01-02 or after 2099
    duplicate: int = 0  #: no newer than the newest reading of its channel
    conflict: int = 0  #: at the very time of that reading, with another value: the first holds
    late: int = 0  #: of a slot that is closed already, or later than the lateness bound
    clock: int = 0  #: far ahead of its stream, and the next reading was not


def is_plausible(readings: Readings) -> NDArray[np.bool_]:
    """Tell which readings (n,) can be measurements at all."""
    sound: NDArray[np.bool_] = np.abs(readings.value) < _LARGEST
    sound &= (readings.time >= _EARLIEST) & (readings.time < _LATEST)
    return sound


class Aligner:
    """Cuts readings into slots against what the state table has seen."""

    def __init__(
        self, channels: Sequence[Channel], interval_ms: int, *, leap_ms: int = LATEST, lateness_ms: int = 0
    ) -> None:
        self.aggregator = Aggregator(channels)
        self.room = WaitingRoom(lateness_ms) if lateness_ms else None
        self._ignored = Ignored()
        self._clock = Clock(leap_ms)
        self._channels = len(channels)
        self._counter = np.array([channel.counter for channel in channels])
        self._has_counter = bool(self._counter.any())
        self._interval_ms = np.array(interval_ms)

    @property
    def ignored(self) -> Ignored:
        """How many readings were set aside so far, by reason."""
        own, clock = self._ignored, self._clock
        room = self.room or WaitingRoom(0)
        return Ignored(
            own.invalid,
            own.duplicate + clock.duplicate + room.duplicate,
            own.conflict + clock.conflict + room.conflict,
            own.late + room.late,
            clock.wrong,
        )

    def rounds(self, readings: Readings, table: StateTable) -> Iterator[Entries]:
        """Yield the readings' slots in rounds: each stream at most once a round, its slots in order."""
        arrivals = self._clock.admit(self._arrivals(readings), table)
        if self.room is not None:
            arrivals = self.room.admit(arrivals, table)
        return self._rounds(arrivals, table)

    def released(self, now_ms: NDArray[np.int64], table: StateTable) -> Iterator[Entries]:
        """Yield, as `rounds` does, what need not wait any longer when a stream's time is `now_ms` (streams,)."""
        return self._rounds(self.room.release(now_ms, table), table) if self.room is not None else iter(())

    def _arrivals(self, readings: Readings) -> Arrivals:
        """Return the plausible readings ordered by stream, each stream's in order of arrival."""
        sound = is_plausible(readings)
        if not all_set(sound):
            self._ignored.invalid += int(np.count_nonzero(~sound))
            readings = readings.take(sound)
        if some(readings.stream[1:] <= readings.stream[:-1]):
            readings = readings.take(stable_order(readings.stream))
        flaw = np.zeros(len(readings), np.uint8)
        return Arrivals(readings.stream, readings.channel, readings.time, readings.value, flaw)

    def _rounds(self, arrivals: Arrivals, table: StateTable) -> Iterator[Entries]:
        arrivals, slot = self._in_order(arrivals, table)
        if len(arrivals) == 0:
            return
        entries = self._entries(arrivals, slot, table)
        if all_set(run_starts(entries.row)):
            yield entries
            return
        rank = run_ranks(entries.row)
        for chosen in np.split(np.argsort(rank, kind="stable"), np.cumsum(np.bincount(rank))[:-1]):
            yield entries.take(chosen)

    def _entries(self, arrivals: Arrivals, slot: NDArray[np.int64], table: StateTable) -> Entries:
        """Fold readings, ordered by stream and slot, into their slots."""
        starts = run_starts(arrivals.stream) | run_starts(slot)
        row, first_slot = arrivals.stream[starts], slot[starts]
        value, time = np.empty((len(row), self._channels)), np.empty((len(row), self._channels), np.int64)
        value.fill(np.nan)
        time.fill(NEVER)
        count = np.zeros(value.shape, np.uint32)
        flaw = np.zeros(value.shape, np.uint8)
        goes_on = table.field("open_slot", row) == first_slot
        if some(goes_on):
            value[goes_on] = table.field("open_value", row[goes_on])
            count[goes_on] = table.field("open_count", row[goes_on])
        cell: NDArray[np.intp] = np.cumsum(starts) * self._channels + (arrivals.channel - self._channels)
        if some_number(arrivals.flaw):
            counts = (
                fills(value.flat[cell], cell, arrivals.value) if self.aggregator.eager else np.ones(len(cell), bool)
            )
            np.bitwise_or.at(flaw.reshape(-1), cell[counts], arrivals.flaw[counts])
        self.aggregator.fold(value.reshape(-1), count.reshape(-1), cell, arrivals.channel, arrivals.value)
        time.reshape(-1)[cell] = arrivals.time
        return Entries(row, first_slot, value, count, time, flaw)

    def _in_order(self, arrivals: Arrivals, table: StateTable) -> tuple[Arrivals, NDArray[np.int64]]:
        """Keep what is new and on time, counters as rates, and return it with its slots.

        A slot that closed as it was complete may get further readings, as it might in one batch: they change nothing
        but what is the newest of their channels.
        """
        stream, channel, time = arrivals.stream, arrivals.channel, arrivals.time
        slot = time // self._interval_ms

        last_slot = table.field("last_slot", stream)
        usable = slot >= np.maximum(table.field("open_slot", stream), newest_before(stream, slot))
        usable &= slot >= last_slot if self.aggregator.eager else slot > last_slot

        lane = stream.astype(np.int64) * self._channels + channel
        lanes = lane.argsort(kind="stable") if self._channels > 1 else slice(None)
        newer = time > table.cells("last_time", stream, channel)
        known = (
            time if all_set(usable) else np.where(usable, time, time.min() - 1)
        )  # what is too late is not remembered
        newer[lanes] &= time[lanes] > newest_before(lane[lanes], known[lanes])

        taken, ended = usable & newer, slot <= last_slot
        if not all_set(taken):
            conflicts = self._conflicts(arrivals, newer, lane, lanes, taken, table)
            self._ignored.conflict += conflicts
            self._ignored.duplicate += int(np.count_nonzero(~newer)) - conflicts
            self._ignored.late += int(np.count_nonzero(newer & ~usable))
            arrivals, slot, ended = arrivals.take(taken), slot[taken], ended[taken]
        said = arrivals
        if self._has_counter:
            arrivals = self._as_rates(arrivals, table)
        table.put_cells("last_value", said.stream, said.channel, said.value)
        if some(ended):
            rest = arrivals.take(ended)
            table.put_cells("last_time", rest.stream, rest.channel, rest.time)
            arrivals, slot = arrivals.take(~ended), slot[~ended]
        return arrivals, slot

    @staticmethod
    def _conflicts(
        arrivals: Arrivals,
        newer: NDArray[np.bool_],
        lane: NDArray[np.int64],
        lanes: NDArray[np.intp] | slice,
        taken: NDArray[np.bool_],
        table: StateTable,
    ) -> int:
        """Count the readings that are no newer but at the time of their channel's newest, with another value.

        `lane` (n,) numbers channels of streams, `lanes` (n,) orders the readings by it.
        """
        at = np.arange(len(lane))
        before = np.maximum.accumulate(np.where(taken[lanes], at, 0))  # the newest of them that was taken, in the batch
        is_its = taken[lanes][before] & (lane[lanes][before] == lane[lanes])
        ordered = arrivals.take(lanes)
        time, value = ordered.time, ordered.value
        newest = np.where(is_its, time[before], table.cells("last_time", ordered.stream, ordered.channel))
        said = np.where(is_its, value[before], table.cells("last_value", ordered.stream, ordered.channel))
        return int(np.count_nonzero(~newer[lanes] & (time == newest) & (value != said)))

    def _as_rates(self, arrivals: Arrivals, table: StateTable) -> Arrivals:
        """Return readings with the totals of counters turned into rates."""
        totals = np.flatnonzero(self._counter[arrivals.channel])
        lane = arrivals.stream[totals].astype(np.int64) * self._channels + arrivals.channel[totals]
        totals = totals[np.argsort(lane, kind="stable")]
        if len(totals) == 0:
            return arrivals
        stream, channel = arrivals.stream[totals], arrivals.channel[totals]
        lane = stream.astype(np.int64) * self._channels + channel
        before_time, before = table.cells("last_time", stream, channel), table.cells("last_value", stream, channel)
        total = arrivals.value[totals]
        rate, reset = rates(lane, arrivals.time[totals], total, before_time, before)

        value, flaw = arrivals.value.copy(), arrivals.flaw.copy()
        value[totals] = rate.clip(-LARGEST, LARGEST)
        flaw[totals[reset]] |= np.uint8(Quality.RESET)
        return Arrivals(arrivals.stream, arrivals.channel, arrivals.time, value, flaw)
