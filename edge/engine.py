"""The engine: readings in, verdicts out. It does no input or output and knows no clock.

    align -> gather -> score the slot against the forecast made for it -> step -> scatter

Everything is done for a block of streams at once; there is no loop over streams.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edge import scaling
from edge.alarm import AlarmPolicy
from edge.align import Aligner, Entries, Ignored
from edge.bundle import Bundle
from edge.calendar import Calendar
from edge.errors import BundleError, ConfigError
from edge.level import Levels
from edge.limits import Budget
from edge.manifest import Manifest
from edge.reading import Change, Readings, Status, Verdicts
from edge.relevance import Relevance
from edge.runtime import BLOCK, Runtime, open_runtime
from edge.score import Scorer
from edge.state import LAYOUT_VERSION, NEVER, Records, StateTable, layout, record_dtype


class Engine:
    """Scores the streams of one monitor with one bundle."""

    def __init__(
        self,
        manifest: Manifest,
        runtime: Runtime,
        limit: float,
        policy: AlarmPolicy | None = None,
        *,
        adapts: bool = True,
    ) -> None:
        channels = len(manifest.channels)
        self.manifest = manifest
        self.table = StateTable(record_dtype(channels, manifest.memory))
        if (manifest.layout_version, manifest.layout) != (LAYOUT_VERSION, layout(self.table.dtype)):
            raise BundleError(
                f"bundle {manifest.name}: expected state layout {LAYOUT_VERSION}, "
                f"got layout {manifest.layout_version}; export it again with this version"
            )
        self._runtime = runtime
        self._aligner = Aligner(channels, manifest.interval_ms)
        self._calendar = Calendar(manifest.time_zone) if manifest.calendar else None
        self._scorer = Scorer(limit)
        self._adapts = adapts  # whether spreads follow the errors
        self._policy = policy or AlarmPolicy()
        self._levels = Levels(self._policy)
        self._relevance = Relevance(self._policy, [channel.name for channel in manifest.channels])
        self._low = np.array(manifest.scaling.low, np.float32)
        self._high = np.array(manifest.scaling.high, np.float32)
        self._learn_slots = 2 * manifest.burn_in
        self._ready_slots = self._learn_slots + manifest.burn_in

    @property
    def limit(self) -> float:
        """The standardised error whose score is 1.0; it may be set at any time."""
        return self._scorer.limit

    @limit.setter
    def limit(self, limit: float) -> None:
        self._scorer.limit = limit

    @property
    def ignored(self) -> Ignored:
        """How many readings were not used so far, by reason."""
        return self._aligner.ignored

    def add(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Begin to watch streams and return their rows; names the bundle knows bring their scaling."""
        records = np.zeros(len(names), self.table.dtype)
        records["width"] = 1
        records["spread"] = self.manifest.scaling.spread
        records["open_value"] = np.nan
        records["last_time"] = records["open_slot"] = records["last_slot"] = NEVER
        for record, name in zip(records, names, strict=True):
            known = self.manifest.scaling.of(name)
            if known is not None:
                record["location"], record["scale"], record["spread"] = known.location, known.scale, known.spread
                record["seen"] = self._learn_slots
        return self.table.add(records)

    def feed(self, readings: Readings) -> Verdicts:
        """Take readings in order of arrival and return the verdicts on the slots they completed."""
        verdicts = [
            verdict
            for entries in self._aligner.rounds(readings, self.table)
            for block in _blocks(entries)
            for verdict in self._feed_block(block)
        ]
        return Verdicts.concatenate(verdicts) if verdicts else self._no_verdicts()

    def accept(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """Confirm that the new level of the rows' streams is normal, and return the rows that have an alarm open.

        It is accepted, and the alarm closed, with the next slot that lies away from the old level.
        """
        if self._levels.rule == "never":
            raise ConfigError("alarm: expected level confirm or sustained where a new level is confirmed, got never")
        rows = np.unique(rows)
        rows = rows[self.table.field("alarm", rows) != 0]
        records = self.table.gather(rows)
        records["confirmed"] = 1
        self.table.scatter(rows, records)
        return rows

    def _feed_block(self, entries: Entries) -> Iterator[Verdicts]:
        rows, slot = entries.row, entries.slot
        records = self.table.gather(rows)

        partial = (records["open_slot"] != NEVER) & (records["open_slot"] < slot)
        yield from self._close(records, rows, partial)
        self._bridge(records, slot)

        records["open_slot"] = slot
        records["open_value"] = np.where(np.isnan(records["open_value"]), entries.value, records["open_value"])
        records["last_time"] = np.maximum(records["last_time"], entries.time)
        yield from self._close(records, rows, np.isfinite(records["open_value"]).all(axis=1))
        self.table.scatter(rows, records)

    def _close(self, records: Records, rows: NDArray[np.int32], chosen: NDArray[np.bool_]) -> Iterator[Verdicts]:
        """Give the open slots of the chosen records their verdicts."""
        has_scale = records["seen"] >= self._learn_slots
        for part, act in ((chosen & has_scale, self._judge), (chosen & ~has_scale, self._learn)):
            if part.all():
                yield act(records, rows)
            elif part.any():
                copies = records[part]
                yield act(copies, rows[part])
                records[part] = copies

    def _learn(self, records: Records, rows: NDArray[np.int32]) -> Verdicts:
        """Learn the scaling of streams that the bundle does not know."""
        value, slot = records["open_value"].copy(), records["open_slot"].copy()
        scaling.learn(value, records, self._learn_slots)
        records["last_slot"] = slot
        self._finish(records)
        unknown = np.full(value.shape, np.nan)
        return Verdicts(
            stream=rows,
            time=slot * self.manifest.interval_ms,
            status=np.full(len(rows), Status.LEARNING, np.uint8),
            score=np.full(len(rows), np.nan, np.float32),
            channel=np.full(len(rows), -1, np.int16),
            value=value,
            expected=unknown,
            lower=unknown,
            upper=unknown,
            alarm=np.zeros(len(rows), np.int64),
            change=np.zeros(len(rows), np.uint8),
            share=unknown.astype(np.float32),
            once_in=np.full(len(rows), np.nan, np.float32),
        )

    def _judge(self, records: Records, rows: NDArray[np.int32]) -> Verdicts:
        """Score open slots against the forecasts made for them, learn where it was calm, and step."""
        value, slot = records["open_value"].copy(), records["open_slot"].copy()
        time = slot * self.manifest.interval_ms
        judged = records["seen"] >= self._ready_slots

        observed = scaling.scaled(value, records)
        error = observed - records["forecast"]
        unit = self._scorer.unit(records)
        reach = self._scorer.reach(unit, records)
        score, channel = self._scorer.score(error, reach)
        expected = np.where(judged[:, None], scaling.unscaled(records["forecast"], records), np.nan)
        counted = np.where(judged, self._counted(score, error, reach, value, expected), np.float32(0))
        anomalous = counted >= 1.0
        change = self._policy.advance(records, counted, time)
        accepted = self._levels.accepted(observed, reach, records, change == Change.OPENED)
        if accepted.size:
            self._policy.close(records, accepted)
            change[accepted] = Change.ACCEPTED

        half = records["scale"] * reach
        share = self._scorer.share(error, reach)
        once_in = np.reciprocal(self.manifest.tail.rate(score * np.float32(self.limit)))
        share[~judged] = np.nan
        once_in[~judged] = np.nan
        verdicts = Verdicts(
            stream=rows,
            time=time,
            status=(judged * np.uint8(Status.NORMAL) + anomalous).astype(np.uint8),
            score=np.where(judged, score, np.float32(np.nan)),
            channel=np.where(judged, channel, np.int16(-1)),
            value=value,
            expected=expected,
            lower=expected - half,
            upper=expected + half,
            alarm=records["alarm"].copy(),
            change=change,
            share=share,
            once_in=once_in,
        )
        calm = judged & (score < 1.0) & (records["alarm"] == 0)
        if self._adapts:
            self._scorer.learn(np.where(calm[:, None], error / unit, np.float32(np.nan)), records)
        self._levels.follow(observed, records, calm, ~judged, self._learn_slots)
        if accepted.size:
            self._levels.move(reach, records, accepted)
            self._begin_anew(records, accepted)
            observed[accepted] = scaling.scaled(value[accepted], records[accepted])
        self._step(records, observed, slot)
        self._finish(records)
        return verdicts

    def _counted(
        self,
        score: NDArray[np.float32],
        error: NDArray[np.float32],
        reach: NDArray[np.float32],
        value: NDArray[np.float64],
        expected: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """Return the score (n,) of those deviations that the policy counts."""
        if not self._relevance.chooses:
            return score
        counts = self._relevance.counts(value, expected)
        return self._scorer.score(np.where(counts, error, np.float32(np.nan)), reach)[0]

    def _bridge(self, records: Records, slot: NDArray[np.int64]) -> None:
        """Carry each memory over the slots missing before `slot` (n,), or begin anew after too many."""
        missing = np.where(records["last_slot"] == NEVER, 0, slot - records["last_slot"] - 1)
        missing[records["seen"] < self._learn_slots] = 0
        lost = missing > self.manifest.max_gap
        if lost.any():
            self._begin_anew(records, lost)
            missing[lost] = 0
        while (going := missing > 0).any():
            part = records[going]
            self._step(part, part["forecast"].copy(), part["last_slot"] + 1)
            part["missed"] += 1
            records[going] = part
            missing[going] -= 1

    def _begin_anew(self, records: Records, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> None:
        """Empty the chosen memories, which are filled again before a verdict is given."""
        records["memory"][chosen] = 0
        records["forecast"][chosen] = 0
        records["width"][chosen] = 1
        records["seen"][chosen] = self._learn_slots

    def _step(self, records: Records, observed: NDArray[np.float32], slot: NDArray[np.int64]) -> None:
        """Feed the scaled values (n, C) of slots to the forecaster; a missing one is its own forecast."""
        x = np.where(np.isnan(observed), records["forecast"], observed).clip(self._low, self._high)
        if self._calendar is not None:
            x = np.concatenate([x, self._calendar.inputs((slot + 1) * self.manifest.interval_ms)], axis=1)
        forecast, width, memory = self._runtime.step(x, np.ascontiguousarray(records["memory"]))
        records["forecast"] = forecast[:, 0]
        if width is not None:
            records["width"] = width[:, 0]
        records["memory"] = memory
        records["last_slot"] = slot

    def _finish(self, records: Records) -> None:
        """Empty the open slots that have their verdicts."""
        records["seen"] += records["seen"] < self._ready_slots
        records["missed"] = 0
        records["open_slot"] = NEVER
        records["open_value"] = np.nan

    def _no_verdicts(self) -> Verdicts:
        none = np.zeros(0, self.table.dtype)
        return self._learn(none, np.zeros(0, np.int32))


def open_engine(
    bundle: Bundle, budget: Budget | None = None, policy: AlarmPolicy | None = None, runtime: Runtime | None = None
) -> Engine:
    """Return an engine that runs the bundle with a budget (the bundle's own if none) and a policy."""
    manifest = bundle.manifest
    budget = budget or Budget.parse(manifest.budget)
    limit = manifest.tail.limit(budget.per_slot(manifest.interval_ms))
    return Engine(manifest, runtime or open_runtime(bundle.files), limit, policy)


def _blocks(entries: Entries) -> Iterator[Entries]:
    """Cut a round into blocks that stay in the cache."""
    for start in range(0, len(entries), BLOCK):
        yield entries.take(np.arange(start, min(start + BLOCK, len(entries))))
