"""The judge: what a slot's values say against the forecast made for it, and what follows for score and alarm.

score (pure) -> alarm -> learn, where it was calm
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge import lift, scaling, score, surprise
from edge.alarm import AlarmPolicy
from edge.calendar import Calendar
from edge.day import Day
from edge.level import Levels
from edge.manifest import Manifest
from edge.quality import Inspection
from edge.reading import Change, Status, Verdicts
from edge.relevance import Relevance
from edge.signals import SUSTAINED, Signals
from edge.state import Records

#: is told, for calibration: rows (n,), slots (n,), |error| / unit (n, C), signals (n, SIGNALS), whether judged (n,)
Observer = Callable[
    [NDArray[np.int32], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]], None
]
_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Slots:
    """One slot of each of n streams, as it was closed."""

    row: NDArray[np.int32]  #: (n,)
    slot: NDArray[np.int64]  #: (n,)
    time: NDArray[np.int64]  #: (n,) its start, ms
    value: NDArray[np.float64]  #: (n, C) NaN where nothing came
    found: Inspection
    ready_in: NDArray[np.int32]  #: (n,) slots still to be learnt from


class Judge:
    """Judges the slots of one bundle's streams under one budget and one policy."""

    def __init__(
        self,
        manifest: Manifest,
        per_slot: float,
        policy: AlarmPolicy,
        calendar: Calendar,
        *,
        adapts: bool,
        observer: Observer | None,
    ) -> None:
        self.policy = policy
        self.levels = Levels(policy)
        self._tail = manifest.tail
        self._signals = Signals(
            Day(manifest.day_bins, calendar) if manifest.day_bins else None,
            manifest.sustained,
            has_course=manifest.segments > 0,
        )
        self._relevance = Relevance(policy, [channel.name for channel in manifest.channels])
        self._adapts = adapts  # whether what is usual follows the errors
        self._observer = observer
        self.allow(per_slot)

    def allow(self, per_slot: float) -> None:
        """Set the budget, in alarms a slot of each stream; 0 is a limit that nothing reaches."""
        self._per_slot = per_slot
        self.limit = self._tail.limit(per_slot)  #: decades of surprise whose score is 1.0

    def judge(self, slots: Slots, records: Records) -> tuple[Verdicts, NDArray[np.float32], NDArray[np.intp]]:
        """Return the verdicts, the clean values (n, C), scaled, and the rows of those whose new level was accepted."""
        value, found = slots.value, slots.found
        judged = slots.ready_in == 0
        scored = judged & found.covered
        observed = scaling.scaled(value if found.clean.all() else np.where(found.clean, value, np.nan), records)
        expected = scaling.unscaled(records["forecast"], records)
        if not judged.all():
            expected[~judged] = np.nan
        error = observed - records["forecast"]
        units = score.unit(records)
        usual = score.usual(units, records)
        counted = self._counted(observed, value, expected)
        ratio = np.nan_to_num(np.abs(counted - records["forecast"]) / usual, nan=0.0)
        signals = self._signals.read(ratio, counted, slots.time, records)
        if self._observer is not None:
            self._observer(slots.row, slots.slot, np.abs(error) / units, signals, scored)

        surprises = surprise.surprise(signals, records)
        total = surprises.sum(axis=1)
        limit = np.float32(self.limit) + records["lift"]
        scores = total / limit * scored
        reach = score.reach(limit, records)[:, None] * usual
        change = self.alarm(records, scores, slots.time, found.covered)
        accepted = self.levels.accepted(observed, reach, records, change == Change.OPENED)
        if accepted.size:
            self.policy.close(records, accepted)
            change[accepted] = Change.ACCEPTED

        half = records["scale"] * reach
        unknown = None if scored.all() else ~scored
        verdicts = Verdicts(
            stream=slots.row,
            time=slots.time,
            status=(judged * np.uint8(Status.NORMAL) + (scores >= 1.0)).astype(np.uint8),
            score=_unless(unknown, scores, np.nan),
            channel=_unless(unknown, ratio.argmax(axis=1).astype(np.int16), -1),
            value=value,
            expected=expected,
            lower=expected - half,
            upper=expected + half,
            alarm=records["alarm"].copy(),
            change=change,
            share=_unless(unknown, score.share(ratio), np.nan),
            signal=_unless(unknown, surprises.argmax(axis=1).astype(np.int8), -1),
            once_in=_unless(unknown, np.reciprocal(self._tail.rate(total - records["lift"])), np.nan),
            achieved=lift.achieved(records, self._per_slot),
            coverage=found.clean.mean(axis=1, dtype=np.float32),
            quality=found.flags,
            ready_in=slots.ready_in,
        )
        calm = scored & (scores < 1.0) & (records["alarm"] == 0)
        if self._adapts:
            usable = calm[:, None] & (np.abs(error) <= reach)
            score.learn(np.where(usable, error / units, np.float32(np.nan)), records)
            surprise.learn(signals, records, calm)
            lift.follow(records, scored, change, self._per_slot)
        signals[~scored, SUSTAINED] = records["sustained"][~scored]
        self._signals.remember(signals, observed, slots.time, records, calm | ~judged)
        return verdicts, observed, accepted

    def alarm(
        self, records: Records, scores: NDArray[np.float32], time: NDArray[np.int64], covered: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """Take the slots that have a value into their streams' alarms, which stay as they are in the others."""
        if covered.all():
            return self.policy.advance(records, scores, time)
        change = np.zeros(len(records), np.uint8)
        part = records.take(covered)
        change[covered] = self.policy.advance(part, scores[covered], time[covered])
        part.put_back()
        return change

    def _counted(
        self, observed: NDArray[np.float32], value: NDArray[np.float64], expected: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return the observed values (n, C), scaled, whose deviations the policy counts, NaN instead of the others."""
        if not self._relevance.chooses:
            return observed
        return np.where(self._relevance.counts(value, expected), observed, np.float32(np.nan))


def _unless(unknown: NDArray[np.bool_] | None, values: NDArray[_T], otherwise: float) -> NDArray[_T]:
    """Return the values with something else in the rows where they are not known."""
    if unknown is not None:
        values[unknown] = otherwise
    return values
