"""The waiting room: readings wait until none that is older can come within the lateness bound.

They wait in their stream's own record, so they are part of its checkpoint. Any order within the bound gives the
verdicts of the sorted readings. A room that is full lets its oldest reading go early.
"""

import numpy as np
from numpy.typing import NDArray

from edge.reading import Arrivals
from edge.runs import newest_before, run_ranks, run_starts
from edge.state import NEVER, StateTable

ROOM = 64  #: readings of one stream that can wait


class WaitingRoom:
    """Releases readings in order of time once they are `lateness_ms` older than their stream's newest."""

    def __init__(self, lateness_ms: int, room: int = ROOM) -> None:
        self._lateness_ms = lateness_ms
        self._room = room
        self.late = 0  #: readings that came when newer ones had been released
        self.duplicate = 0  #: readings that repeat one that waits
        self.conflict = 0  #: readings at the time of one that waits, with another value
        self.early = 0  #: readings released before their time, as the room was full

    def admit(self, batch: Arrivals, table: StateTable) -> Arrivals:
        """Take readings ordered by stream and arrival in; return what is released, by stream and time.

        A part is never larger than the room left, or is one reading; so the outcome is that of one after another.
        """
        released = []
        while len(batch):
            rows, counts = np.unique(batch.stream, return_counts=True)
            kept = np.count_nonzero(table.field("waiting_time", rows) != NEVER, axis=1)
            now = run_ranks(batch.stream) < np.repeat(np.maximum(self._room - kept, 1), counts)
            released.append(self._admit_part(batch.take(now), table))
            batch = batch.take(~now)
        return _by_stream(released, batch)

    def release(self, now_ms: NDArray[np.int64], table: StateTable) -> Arrivals:
        """Return what needs to wait no longer when a stream's time is `now_ms` (streams,), by stream and time."""
        rows = np.arange(len(table), dtype=np.int32)
        waiting = table.field("waiting_time", rows)
        due = ((waiting != NEVER) & (waiting <= now_ms[:, None] - self._lateness_ms)).any(axis=1)
        moved = now_ms - self._lateness_ms > table.field("released", rows)
        table.put("released", rows[moved], now_ms[moved] - self._lateness_ms)
        none = _nothing()
        return self._let_go(none, rows[due], table) if due.any() else none

    def _admit_part(self, batch: Arrivals, table: StateTable) -> Arrivals:
        before = newest_before(batch.stream, batch.time)
        bound = np.where(before == NEVER, NEVER, before - np.where(before == NEVER, 0, self._lateness_ms))
        late = batch.time < np.maximum(bound, table.field("released", batch.stream))
        self.late += int(np.count_nonzero(late))
        begins = np.flatnonzero(run_starts(batch.stream))
        rows = batch.stream[begins]
        newest = np.maximum.reduceat(batch.time, begins) - self._lateness_ms
        released = table.field("released", rows)
        table.put("released", rows[newest > released], newest[newest > released])
        return self._let_go(batch.take(~late), rows, table)

    def _let_go(self, batch: Arrivals, rows: NDArray[np.int32], table: StateTable) -> Arrivals:
        """Put readings beside those that wait in the rows' records; return what may go, keep the rest waiting."""
        there = Arrivals.concatenate([_waiting(rows, table), batch])
        there = there.take(np.lexsort((there.channel, there.time, there.stream)))
        again = ~(run_starts(there.stream) | run_starts(there.time) | run_starts(there.channel))
        if again.any():
            first = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
            conflicts = int(np.count_nonzero(there.value != there.value[first]))
            self.conflict += conflicts
            self.duplicate += int(np.count_nonzero(again)) - conflicts
            there = there.take(~again)
        released = table.field("released", there.stream)
        rest = there.time > released

        waits = np.flatnonzero(rest)
        stream = there.stream[waits]
        place = run_ranks(stream)
        surplus = np.bincount(stream, minlength=len(table))[stream] - self._room
        early = place < surplus
        self.early += int(np.count_nonzero(early))
        table.put("released", stream[early], there.time[waits[early]])
        rest[waits[early]] = False

        self._put(there.take(rest), rows, table)
        return there.take(~rest)

    def _put(self, rest: Arrivals, rows: NDArray[np.int32], table: StateTable) -> None:
        """Let just these readings wait in the rows' records."""
        at, place = np.searchsorted(rows, rest.stream), run_ranks(rest.stream)
        for name, column, free in (
            ("waiting_time", rest.time, NEVER),
            ("waiting_channel", rest.channel, 0),
            ("waiting_value", rest.value, 0),
            ("waiting_flaw", rest.flaw, 0),
        ):
            places = np.full((len(rows), self._room), free, column.dtype)
            places[at, place] = column
            table.put(name, rows, places)


def _waiting(rows: NDArray[np.int32], table: StateTable) -> Arrivals:
    """Return the readings that wait in the records of rows."""
    time = table.field("waiting_time", rows)
    at, place = np.nonzero(time != NEVER)
    channel, value = table.field("waiting_channel", rows), table.field("waiting_value", rows)
    flaw = table.field("waiting_flaw", rows)
    return Arrivals(rows[at], channel[at, place], time[at, place], value[at, place], flaw[at, place])


def _nothing() -> Arrivals:
    return Arrivals(
        np.zeros(0, np.int32), np.zeros(0, np.int16), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint8)
    )


def _by_stream(parts: list[Arrivals], none: Arrivals) -> Arrivals:
    """Return parts, each ordered by stream and later ones newer, as one in that order."""
    if len(parts) < 2:
        return parts[0] if parts else none
    whole = Arrivals.concatenate(parts)
    return whole.take(np.argsort(whole.stream, kind="stable"))
