"""Clocks: a reading whose time leaps far ahead waits until the next one of its stream agrees with it.

One reading from the year 2099 would close every slot until then. So a reading that is further ahead of its
stream's newest than a gap that is bridged is put in doubt: the next reading confirms it by being no older, but
for the same distance, or proves it wrong. After a true pause this costs nothing but the wait for one reading.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.across import some
from edge.quality import Quality
from edge.reading import Arrivals
from edge.runs import newest_before, run_starts
from edge.state import NEVER, StateTable


class Clock:
    """Admits readings, ordered by stream and arrival, whose times can be believed."""

    def __init__(self, leap_ms: int) -> None:
        self._leap_ms = leap_ms
        self.wrong = 0  #: readings dropped since their time was proved wrong
        self.duplicate = 0  #: readings that repeat the one in doubt
        self.conflict = 0  #: readings at the time of the one in doubt, with another value

    def admit(self, batch: Arrivals, table: StateTable) -> Arrivals:
        """Return the readings that are believed, and keep the one in doubt of each stream in its record."""
        newest = table.field("newest", batch.stream)
        ahead = self._leaps(batch, newest)
        ahead |= table.field("doubt_time", batch.stream) != NEVER
        if some(ahead):
            odd = np.isin(batch.stream, batch.stream[ahead])
            settled = self._settle(batch.take(odd), table)
            batch = Arrivals.concatenate([batch.take(~odd), settled])
            batch = batch.take(np.argsort(batch.stream, kind="stable"))
        self._remember(batch, table)
        return batch

    def _leaps(self, batch: Arrivals, newest: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Mark readings that are far ahead of all earlier ones of their stream (n,)."""
        before = np.maximum(newest, newest_before(batch.stream, batch.time))
        ahead: NDArray[np.bool_] = batch.time > before + self._leap_ms
        ahead &= before != NEVER
        return ahead

    def _settle(self, batch: Arrivals, table: StateTable) -> Arrivals:
        """Decide on each leap by the reading after it; each turn takes the first leap of every stream."""
        batch = _with_doubts(batch, table)
        sure = np.zeros(len(batch), bool)
        while True:
            leap = self._leaps(batch, table.field("newest", batch.stream)) & ~sure
            at = np.flatnonzero(leap)
            at = at[run_starts(batch.stream[at])]
            if len(at) == 0:
                return batch
            after = np.minimum(at + 1, len(batch) - 1)
            followed = (after > at) & (batch.stream[after] == batch.stream[at])
            repeated = followed & (batch.time[after] == batch.time[at]) & (batch.channel[after] == batch.channel[at])
            agrees = followed & ~repeated & (batch.time[after] >= batch.time[at] - self._leap_ms)
            wrong = followed & ~repeated & ~agrees
            sure[at[agrees]] = True
            batch.flaw[after[wrong]] |= np.uint8(Quality.CLOCK)
            self.wrong += int(np.count_nonzero(wrong))
            conflicts = int(np.count_nonzero(repeated & (batch.value[after] != batch.value[at])))
            self.conflict += conflicts
            self.duplicate += int(np.count_nonzero(repeated)) - conflicts
            _put_doubts(batch.take(at[~followed]), table)
            keep = np.ones(len(batch), bool)
            keep[np.concatenate([after[repeated], at[wrong], at[~followed]])] = False
            batch, sure = batch.take(keep), sure[keep]

    @staticmethod
    def _remember(batch: Arrivals, table: StateTable) -> None:
        """Keep the newest time of each stream."""
        if len(batch) == 0:
            return
        begins = run_starts(batch.stream).nonzero()[0]
        rows = batch.stream[begins]
        newest = batch.time if len(begins) == len(batch) else np.maximum.reduceat(batch.time, begins)
        moved = newest > table.field("newest", rows)
        table.put("newest", rows[moved], newest[moved])


def _with_doubts(batch: Arrivals, table: StateTable) -> Arrivals:
    """Return the readings, ordered by stream, each stream's one in doubt before them, which leaves its record."""
    rows = batch.stream[run_starts(batch.stream)]
    rows = rows[table.field("doubt_time", rows) != NEVER]
    doubts = Arrivals(
        rows,
        table.field("doubt_channel", rows),
        table.field("doubt_time", rows),
        table.field("doubt_value", rows),
        table.field("doubt_flaw", rows),
    )
    if len(rows):
        table.put("doubt_time", rows, np.full(len(rows), NEVER))
        table.put("doubt_channel", rows, np.zeros(len(rows)))
        table.put("doubt_value", rows, np.zeros(len(rows)))
        table.put("doubt_flaw", rows, np.zeros(len(rows)))
    batch = Arrivals.concatenate([doubts, batch])
    batch = batch.take(np.argsort(batch.stream, kind="stable"))
    return replace(batch, flaw=batch.flaw.copy())


def _put_doubts(doubts: Arrivals, table: StateTable) -> None:
    table.put("doubt_time", doubts.stream, doubts.time)
    table.put("doubt_channel", doubts.stream, doubts.channel)
    table.put("doubt_value", doubts.stream, doubts.value)
    table.put("doubt_flaw", doubts.stream, doubts.flaw)
