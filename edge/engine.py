"""The engine: readings in, verdicts out. It does no input or output and knows no clock.

    align -> gather -> score the slot against the forecast made for it -> step -> scatter

Everything is done for a block of streams at once; there is no loop over streams.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from edge import across, scaling, score, shape
from edge.across import all_set, some, some_number
from edge.alarm import AlarmPolicy
from edge.align import Aligner, Entries, Ignored
from edge.bundle import Bundle
from edge.calendar import Calendar
from edge.errors import BundleError, ConfigError
from edge.judge import Judge, Observer, Slots
from edge.limits import Budget
from edge.manifest import Manifest
from edge.quality import Inspector, silent_at
from edge.reading import Readings, Status, Verdicts
from edge.runtimes import BLOCK, Runtime, open_runtime
from edge.signals import SUSTAINED
from edge.state import LAYOUT_VERSION, NEVER, Records, StateTable, layout, new_records, record_dtype
from edge.waiting import ROOM
from edge.warmup import BAR, Baseline

_MOST_RATIO = 1e6


class Engine:
    """Scores the streams of one monitor with one bundle."""

    def __init__(
        self,
        manifest: Manifest,
        runtime: Runtime,
        per_slot: float,
        policy: AlarmPolicy | None = None,
        *,
        lateness_ms: int = 0,
        adapts: bool = True,
        observer: Observer | None = None,
    ) -> None:
        channels = len(manifest.channels)
        self.manifest = manifest
        expected = LAYOUT_VERSION, layout(record_dtype(channels, manifest.memory, manifest.day_bins, manifest.segments))
        if (manifest.layout_version, manifest.layout) != expected:
            raise BundleError(
                f"bundle {manifest.name}: expected state layout {LAYOUT_VERSION}, "
                f"got layout {manifest.layout_version}; export it again with this version"
            )
        room = ROOM if lateness_ms else 0
        self.table = StateTable(record_dtype(channels, manifest.memory, manifest.day_bins, manifest.segments, room))
        self._runtime = runtime
        self._interval_ms = np.array(manifest.interval_ms)
        self._lateness_ms = lateness_ms
        leap_ms = max((manifest.max_gap + 1) * manifest.interval_ms, lateness_ms)
        self._aligner = Aligner(manifest.channels, manifest.interval_ms, leap_ms=leap_ms, lateness_ms=lateness_ms)
        self._aggregator = self._aligner.aggregator
        self._inspector = Inspector(manifest.channels)
        self._baseline = Baseline()
        self._gap = np.array([channel.gap for channel in manifest.channels])
        self._gaps_forecast = bool((self._gap == "forecast").all())
        calendar = Calendar(manifest.time_zone)
        self._calendar = calendar if manifest.calendar else None
        self._judge = Judge(manifest, per_slot, policy or AlarmPolicy(), calendar, adapts=adapts, observer=observer)
        self._low = np.array([manifest.scaling.low], np.float32)
        self._high = np.array([manifest.scaling.high], np.float32)
        self._learn_slots = max(2 * manifest.burn_in, manifest.day_bins)
        self._ready_slots = self._learn_slots + manifest.burn_in

    @property
    def limit(self) -> float:
        """Return the surprise whose score is 1.0, in decades."""
        return self._judge.limit

    def allow(self, per_slot: float) -> None:
        """Set the budget anew, in alarms a slot of each stream; 0 is a limit that nothing reaches."""
        self._judge.allow(per_slot)

    @property
    def ignored(self) -> Ignored:
        """How many readings were not used so far, by reason."""
        return self._aligner.ignored

    @property
    def early(self) -> int:
        """How many readings were used before their time, as too many waited."""
        return self._aligner.room.early if self._aligner.room else 0

    @property
    def newest_ms(self) -> int:
        """Return the time of the newest reading of all streams, UTC epoch ms; NEVER if there is none."""
        newest = self.table.field("newest", np.arange(len(self.table), dtype=np.int32))
        return int(newest.max(initial=NEVER))

    @property
    def ready_slots(self) -> int:
        """Return how many slots with a value a stream needs before verdicts are the forecaster's."""
        return self._ready_slots

    def add(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Begin to watch streams and return their rows; names the bundle knows bring their scaling."""
        records = new_records(len(names), self.table.dtype)
        records["spread"] = self.manifest.scaling.spread
        self.manifest.reference.begin(records)
        for at, name in enumerate(names):
            known = self.manifest.scaling.of(name)
            if known is not None:
                for field in ("location", "scale", "spread", "least", "most"):
                    records[field][at] = getattr(known, field)
                records["seen"][at] = self._learn_slots
        return self.table.add(records)

    def feed(self, readings: Readings) -> Verdicts:
        """Take readings in order of arrival and return the verdicts on the slots they completed."""
        return self._together(self._feed(self._aligner.rounds(readings, self.table)))

    def tick(self, now_ms: int | NDArray[np.int64]) -> Verdicts:
        """Return the verdicts that are due once the streams' own time is `now_ms`, one for all or (streams,).

        Slots that are over are closed, and channels that have been silent for too long are told of. A reading
        that is older than `now_ms` by more than the lateness bound must not follow. Then the verdicts are those
        that the next reading would have brought; so it does not matter when ticks come.
        """
        now = np.broadcast_to(np.asarray(now_ms, np.int64), len(self.table))
        released = self._feed(self._aligner.released(now, self.table))
        return self._together(chain(released, self._end_slots((now - self._lateness_ms) // self.manifest.interval_ms)))

    def accept(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """Confirm that the new level of the rows' streams is normal, and return the rows that have an alarm open.

        It is accepted, and the alarm closed, with the next slot that lies away from the old level.
        """
        if self._judge.levels.rule == "never":
            raise ConfigError("alarm: expected level confirm or sustained where a new level is confirmed, got never")
        rows = np.unique(rows)
        rows = rows[self.table.field("alarm", rows) != 0]
        records = self.table.gather(rows)
        records["confirmed"] = 1
        self.table.scatter(rows, records)
        return rows

    def _together(self, verdicts: Iterator[Verdicts]) -> Verdicts:
        parts = list(verdicts)
        return Verdicts.concatenate(parts) if parts else self._no_verdicts()

    def _feed(self, rounds: Iterator[Entries]) -> Iterator[Verdicts]:
        for entries in rounds:
            for block in entries.blocks(BLOCK):
                yield from self._feed_block(block)

    def _feed_block(self, entries: Entries) -> Iterator[Verdicts]:
        rows, slot = entries.row, entries.slot
        records = self.table.gather(rows)
        yield from self._end_before(records, rows, slot)
        self._bridge(records, slot)

        records["open_slot"] = slot
        records["open_value"] = entries.value
        if some_number(entries.flaw):
            records["open_flaw"] |= entries.flaw
        records["last_time"] = np.maximum(records["last_time"], entries.time)
        if self._aggregator.eager:
            yield from self._close(records, rows, across.all_of(np.isfinite(entries.value)))
        else:
            records["open_count"] = entries.count
        self.table.scatter(rows, records)

    def _end_slots(self, slot: NDArray[np.int64]) -> Iterator[Verdicts]:
        """Say what is due of all streams before slots (streams,)."""
        for start in range(0, len(self.table), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(self.table)), dtype=np.int32)
            records = self.table.gather(rows)
            open_slot = records["open_slot"]
            due = ((open_slot != NEVER) & (open_slot < slot[rows])) | (silent_at(records) < slot[rows])
            if due.any():
                part = records.take(due)
                yield from self._end_before(part, rows[due], slot[rows[due]])
                part.put_back()
                self.table.scatter(rows[due], records)

    def _end_before(self, records: Records, rows: NDArray[np.int32], slot: NDArray[np.int64]) -> Iterator[Verdicts]:
        """Close what is open before slots (n,), and say which channels fell silent until then."""
        is_open = records["open_slot"] != NEVER
        if some(is_open):
            yield from self._close(records, rows, is_open & (records["open_slot"] < slot))
        before = slot - 1
        while some(behind := records["last_slot"] < before):
            quiet = (behind & (records["open_slot"] == NEVER)).nonzero()[0]
            if len(quiet) == 0:
                return
            falls = np.maximum(silent_at(records.take(quiet)), records["last_slot"][quiet] + 1)
            quiet, falls = quiet[falls < slot[quiet]], falls[falls < slot[quiet]]
            if len(quiet) == 0:
                return
            part = records.take(quiet)
            self._bridge(part, falls)
            part["open_slot"] = falls
            yield from self._close(part, rows[quiet], np.ones(len(quiet), bool))
            part.put_back()

    def _close(self, records: Records, rows: NDArray[np.int32], chosen: NDArray[np.bool_]) -> Iterator[Verdicts]:
        """Give the open slots of the chosen records their verdicts."""
        if not some(chosen):
            return
        known = chosen & (records["seen"] >= self._learn_slots)
        for part, act in ((known, self._conclude), (chosen ^ known, self._learn)):
            if all_set(part):
                yield act(records, rows)
            elif some(part):
                copies = records.take(part)
                yield act(copies, rows[part])
                copies.put_back()

    def _learn(self, records: Records, rows: NDArray[np.int32]) -> Verdicts:
        """Learn the scaling of streams that the bundle does not know, and have the baseline watch meanwhile."""
        scale = scaling.so_far(records)
        slots = self._slots(records, rows, scale)
        found = slots.found
        clean = np.where(found.clean, slots.value, np.nan)
        expected, half = self._baseline.expect(slots.slot, records, self.limit)
        ratio = (np.abs(clean - expected) / half).clip(max=_MOST_RATIO).astype(np.float32)
        scored = np.any(np.isfinite(ratio), axis=1)
        ratio = np.nan_to_num(ratio, nan=0.0)
        scores = np.where(scored, ratio.max(axis=1), np.float32(np.nan))
        alarming = scores >= BAR
        change = self._judge.alarm(records, np.where(alarming, scores, np.float32(0)), slots.time, scored)

        scaling.learn(np.where(alarming[:, None], np.nan, clean), records, self._learn_slots)
        self._inspector.learn(slots.value, slots.slot, found, records, scale)
        records["last_slot"] = slots.slot
        self._finish(records, found.covered)
        unknown = np.full(len(rows), np.nan, np.float32)
        return Verdicts(
            stream=rows,
            time=slots.time,
            status=np.full(len(rows), Status.LEARNING, np.uint8),
            score=scores,
            channel=np.where(scored, ratio.argmax(axis=1), -1).astype(np.int16),
            value=slots.value,
            expected=expected,
            lower=expected - half,
            upper=expected + half,
            alarm=records["alarm"].copy(),
            change=change,
            share=np.where(scored[:, None], score.share(ratio), np.float32(np.nan)),
            signal=np.full(len(rows), -1, np.int8),
            once_in=unknown,
            achieved=unknown.copy(),
            coverage=found.clean.mean(axis=1, dtype=np.float32),
            quality=found.flags,
            ready_in=slots.ready_in,
        )

    def _conclude(self, records: Records, rows: NDArray[np.int32]) -> Verdicts:
        """Have open slots judged against the forecasts made for them, and step."""
        slots = self._slots(records, rows, records["scale"])
        if some(scaling.is_still(records)):
            scaling.take_move(np.where(slots.found.clean, slots.value, np.nan), records)
        verdicts, observed, calm, accepted = self._judge.judge(slots, records)
        self._judge.levels.follow(observed, records, calm, slots.ready_in > 0, self._learn_slots)
        if accepted.size:
            self._judge.levels.move((verdicts.upper - verdicts.expected) / records["scale"], records, accepted)
            self._begin_anew(records, accepted)
            observed[accepted] = scaling.scaled(slots.value[accepted], records.take(accepted))
        self._step(records, observed, slots.slot)
        self._inspector.learn(slots.value, slots.slot, slots.found, records, records["scale"])
        self._finish(records, slots.found.covered)
        return verdicts

    def _slots(self, records: Records, rows: NDArray[np.int32], scale: NDArray[np.float64]) -> Slots:
        """Return the open slots as they are closed; `scale` (n, C) is that of the streams."""
        value = self._aggregator.settled(records["open_value"], records["open_count"])
        slot = records["open_slot"].copy()
        found = self._inspector.inspect(value, slot, records, scale)
        seen = np.minimum(records["seen"], self._ready_slots).astype(np.int32)
        return Slots(rows, slot, slot * self._interval_ms, value, found, self._ready_slots - seen)

    def _bridge(self, records: Records, slot: NDArray[np.int64]) -> None:
        """Carry each memory over the slots missing before `slot` (n,), or begin anew after too many."""
        if not some(records["last_slot"] < slot - 1):
            return
        missing = np.where(records["last_slot"] == NEVER, 0, slot - records["last_slot"] - 1)
        missing[records["seen"] < self._learn_slots] = 0
        lost = (missing > 0) & (missing + records["missed"] > self.manifest.max_gap)
        if lost.any():
            self._begin_anew(records, lost)
            missing[lost] = 0
        while (going := missing > 0).any():
            part = records.take(going)
            self._step(part, np.full(part["forecast"].shape, np.nan, np.float32), part["last_slot"] + 1)
            part["missed"] += 1
            part.put_back()
            missing[going] -= 1

    def _begin_anew(self, records: Records, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> None:
        """Empty the chosen memories, which are filled again before a verdict is given."""
        records["memory"][chosen] = 0
        records["forecast"][chosen] = 0
        records["width"][chosen] = 1
        records["sustained"][chosen] = records["typical"][chosen, SUSTAINED]
        if self.manifest.segments:
            shape.interrupt(records, chosen)
        records["seen"][chosen] = self._learn_slots

    def _step(self, records: Records, observed: NDArray[np.float32], slot: NDArray[np.int64]) -> None:
        """Feed the scaled values (n, C) of slots to the forecaster, or what stands for a missing one."""
        absent = np.isnan(observed)
        x = np.where(absent, self._instead(records), observed) if some(absent) else observed
        x = np.minimum(np.maximum(x, self._low), self._high)
        if self._calendar is not None:
            x = np.concatenate([x, self._calendar.inputs((slot + 1) * self._interval_ms)], axis=1)
        forecast, width, memory = self._runtime.step(x, np.ascontiguousarray(records["memory"]))
        records["forecast"] = forecast[:, 0]
        if width is not None:
            records["width"] = width[:, 0]
        records["memory"] = memory
        records["last_slot"] = slot

    def _instead(self, records: Records) -> NDArray[np.float32]:
        """Return what the forecaster is fed where a value is missing (n, C), scaled."""
        forecast: NDArray[np.float32] = records["forecast"]
        if self._gaps_forecast:
            return forecast
        held = np.where(records["heard"] == NEVER, np.float32(0), scaling.scaled(records["held"], records))
        return np.select([self._gap == "forecast", self._gap == "hold"], [forecast, held], np.float32(0))

    def _finish(self, records: Records, covered: NDArray[np.bool_]) -> None:
        """Empty the open slots that have their verdicts; `covered` (n,) had a clean value."""
        growing = records["seen"] < self._ready_slots
        if some(growing):
            records["seen"] += growing & covered
        if not all_set(covered):
            records["missed"] += 1
        records["missed"][covered] = 0
        records["open_slot"] = NEVER
        records["open_value"] = np.nan
        if not self._aggregator.eager:
            records["open_count"] = 0
        if some_number(records["open_flaw"]):
            records["open_flaw"] = 0

    def _no_verdicts(self) -> Verdicts:
        return self._learn(new_records(0, self.table.dtype), np.zeros(0, np.int32))


def open_engine(
    bundle: Bundle,
    budget: Budget | None = None,
    policy: AlarmPolicy | None = None,
    runtime: Runtime | None = None,
    *,
    lateness_ms: int = 0,
) -> Engine:
    """Return an engine that runs the bundle with a budget (the bundle's own if none), a policy and a lateness bound."""
    manifest = bundle.manifest
    budget = budget or Budget.parse(manifest.budget)
    per_slot = budget.per_slot(manifest.interval_ms)
    return Engine(manifest, runtime or open_runtime(bundle.files), per_slot, policy, lateness_ms=lateness_ms)
