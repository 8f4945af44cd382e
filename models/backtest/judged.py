"""What is judged: the verdicts on one stretch of time and the alarms that opened in it, beside labelled windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.reading import Change, Status, Verdicts
from models.backtest.spans import Spans


@dataclass(frozen=True, slots=True)
class Judged:
    """Verdicts from a moment on, ordered by stream and time, without those of streams that were still learning."""

    interval_ms: int
    verdicts: Verdicts  #: (n)
    learning: int  #: slots in that stretch that were not judged
    alarms: Spans  #: that opened in it
    windows: Spans | None  #: of which a slot was judged or learnt from; None without labels
    open_before: int = 0  #: alarms that were open already when it began
    unseen: int = 0  #: windows, or parts of them, within that stretch for which there is no slot

    @property
    def slots(self) -> Spans:
        """Return the judged slots as spans (n)."""
        return slots_of(self.verdicts, self.interval_ms)

    @property
    def alarmed(self) -> NDArray[np.bool_]:
        """Return in which slots an alarm was open (n,)."""
        alarmed: NDArray[np.bool_] = self.verdicts.alarm != 0
        return alarmed

    @property
    def opened(self) -> NDArray[np.bool_]:
        """Return in which slots an alarm opened (n,)."""
        opened: NDArray[np.bool_] = self.verdicts.change == Change.OPENED
        return opened


def judge(verdicts: Verdicts, interval_ms: int, from_ms: int, windows: Spans | None) -> Judged:
    """Return what is judged of verdicts on all of the data.

    A window that begins before `from_ms` counts from there on.
    """
    verdicts = verdicts.take(np.lexsort((verdicts.time, verdicts.stream)))
    verdicts = verdicts.take(verdicts.time >= from_ms)
    alarms, unseen = alarms_of(verdicts, interval_ms), 0
    if windows is not None:
        inside = windows.end > from_ms
        windows = Spans(windows.stream[inside], np.maximum(windows.start[inside], from_ms), windows.end[inside])
        first, stop = windows.overlapped_by(slots_of(verdicts, interval_ms))
        unseen = int((first == stop).sum())
        windows = windows.take(first < stop)
    inside = alarms.start >= from_ms
    known = verdicts.status != Status.LEARNING
    return Judged(
        interval_ms,
        verdicts.take(known),
        int((~known).sum()),
        alarms.take(inside),
        windows,
        int((~inside).sum()),
        unseen,
    )


def alarms_of(verdicts: Verdicts, interval_ms: int) -> Spans:
    """Return the alarms in verdicts, ordered by stream and time: from the slot each opened in to the last it was in."""
    rows = np.flatnonzero(verdicts.alarm != 0)
    stream, start = verdicts.stream[rows], verdicts.alarm[rows]
    begins = np.ones(len(rows), bool)
    begins[1:] = (stream[1:] != stream[:-1]) | (start[1:] != start[:-1])
    last = np.append(np.flatnonzero(begins)[1:] - 1, len(rows) - 1) if len(rows) else rows
    return Spans(stream[begins], start[begins], verdicts.time[rows[last]] + interval_ms)


def slots_of(verdicts: Verdicts, interval_ms: int) -> Spans:
    """Return the slots of verdicts, ordered by stream and time, as spans."""
    return Spans(verdicts.stream, verdicts.time, verdicts.time + interval_ms)
