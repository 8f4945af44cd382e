"""The judge: what a slot's values say against the forecast made for it, and what follows for score and alarm.

score (pure) -> alarm -> learn, where it was calm
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge import across, lift, scaling, score, surprise
from edge.across import all_set
from edge.alarm import AlarmPolicy
from edge.calendar import Calendar
from edge.day import Day
from edge.level import Levels
from edge.manifest import Manifest
from edge.quality import Inspection
from edge.reading import Change, Verdicts
from edge.relevance import Relevance
from edge.signals import ERROR, SUSTAINED, Signals
from edge.state import Records

#: is told, for calibration: rows (n,), slots (n,), |error| / unit (n, C), signals (n, SIGNALS), whether judged (n,)
Observer = Callable[
    [NDArray[np.int32], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]], None
]
_NOTHING = np.array(0, np.float32)
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
        self._limit = np.array(self.limit, np.float32)

    def judge(
        self, slots: Slots, records: Records
    ) -> tuple[Verdicts, NDArray[np.float32], NDArray[np.bool_], NDArray[np.intp]]:
        """Return the verdicts, the clean values (n, C), scaled, and which slots (n,) were calm; and the accepted rows.

        Those are the ones whose new level is normal from now on.
        """
        value, found = slots.value, slots.found
        forecast, judged = records["forecast"], slots.ready_in == 0
        scored = judged & found.covered
        unknown = None if all_set(scored) else ~scored
        observed = scaling.scaled(value if all_set(found.clean) else np.where(found.clean, value, np.nan), records)
        expected = scaling.unscaled(forecast, records)
        if unknown is not None:
            expected[~judged] = np.nan
        units = score.unit(records)
        usual = score.usual(units, records)
        size = np.abs(observed - forecast)
        today = self._signals.today(slots.time, records)
        counted, ratio = observed, size / usual
        if self._relevance.chooses:
            counts = self._relevance.counts(value, expected)
            counted, ratio = (np.where(counts, each, np.float32(np.nan)) for each in (observed, ratio))
        ratio = np.fmax(ratio, _NOTHING)
        signals = self._signals.read(ratio, counted, today, records)
        if self._observer is not None:
            self._observer(slots.row, slots.slot, size / units, signals, scored)

        usually = surprise.Followed(records)
        surprises = usually.surprise(signals)
        total = np.add.reduce(surprises, axis=1)
        lifted = records["lift"]
        limit = lifted + self._limit
        scores = total / limit
        if unknown is not None:
            scores[unknown] = 0
        reach = usually.signal_at(limit, ERROR)[:, None] * usual
        once_in = self._tail.once_in(total - lifted)
        change = self.alarm(records, scores, slots.time, found.covered)
        accepted = self.levels.accepted(observed, reach, records, change)
        if accepted.size:
            self.policy.close(records, accepted)
            change[accepted] = Change.ACCEPTED

        half = records["scale"] * reach
        anomalous = scores >= 1.0
        calm = scored & ~anomalous & (records["alarm"] == 0)
        verdicts = Verdicts(
            stream=slots.row,
            time=slots.time,
            status=judged.view(np.uint8) + anomalous.view(np.uint8),
            score=_unless(unknown, scores, np.nan),
            channel=_unless(unknown, across.leading(ratio), -1),
            value=value,
            expected=expected,
            lower=expected - half,
            upper=expected + half,
            alarm=records["alarm"].copy(),
            change=change,
            share=_unless(unknown, score.share(ratio), np.nan),
            signal=_unless(unknown, surprises.argmax(axis=1).astype(np.int8), -1),
            once_in=_unless(unknown, once_in, np.nan),
            achieved=lift.achieved(records, self._per_slot),
            coverage=across.share_of(found.clean),
            quality=found.flags,
            ready_in=slots.ready_in,
        )
        if self._adapts:
            score.learn(size / units, calm[:, None] & (size <= reach), records)
            usually.learn(signals, calm)
            lift.follow(records, scored, change, self._per_slot)
        if unknown is not None:
            signals[unknown, SUSTAINED] = records["sustained"][unknown]
        self._signals.remember(signals, observed, today, records, calm | ~judged)
        return verdicts, observed, calm, accepted

    def alarm(
        self, records: Records, scores: NDArray[np.float32], time: NDArray[np.int64], covered: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """Take the slots that have a value into their streams' alarms, which stay as they are in the others."""
        if all_set(covered):
            return self.policy.advance(records, scores, time)
        change = np.zeros(len(records), np.uint8)
        part = records.take(covered)
        change[covered] = self.policy.advance(part, scores[covered], time[covered])
        part.put_back()
        return change


def _unless(unknown: NDArray[np.bool_] | None, values: NDArray[_T], otherwise: float) -> NDArray[_T]:
    """Return the values with something else in the rows where they are not known."""
    if unknown is not None:
        values[unknown] = otherwise
    return values
