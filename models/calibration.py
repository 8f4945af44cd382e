"""Calibration: what errors are usual, how surprising each is, and how seldom slots are so surprising.

The last part of every stream is run through the engine itself, with the exported step and a limit that nothing
reaches, so what is measured is what will be seen in service. It is cut into pieces that run side by side, each with a
lead-in. Held-out slots alone are often too few to know a tail by, so slots that were learnt from are run as well. Their
errors are a little smaller; the limit follows each stream in service (edge/lift.py) and makes up for that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.engine import Engine
from edge.errors import DataError
from edge.limits import Tail
from edge.manifest import Manifest, Scaling, StreamScaling
from edge.reading import Verdicts
from edge.runtimes import Runtime
from edge.shape import SEGMENT
from edge.state import SIGNALS, new_records, record_dtype
from edge.surprise import Followed, Reference
from models.data.readings import of_recordings
from models.data.recordings import Recording
from models.training.sequences import LEAST_HELD_OUT, Split

PIECE = 4096  #: slots that are run one after another
LEAD = 1024  #: slots before a later piece that only fill its memory, or its burn-in, day or course if that is longer
LEARNT_SLOTS = 16_384  #: learnt from, of all streams together, that are run as well
LEAST_SUSTAINED, MOST_SUSTAINED = 8, 32  #: slots of the running mean that is the sustained error
MEANS = 80  #: that the slots calibrated on are at least enough for; the tail of fewer is not known
NO_REFERENCE = Reference(*(((1.0,) * len(SIGNALS),) * 4))

Values = NDArray[np.float64]


def unit_scaling(splits: Sequence[Split], low: Values, high: Values, *, fixed: bool) -> Scaling:
    """Return the streams' scaling while their spreads are not known, all being 1."""
    ones = (1.0,) * len(low)
    streams = {each.recording.name: _unit_scaling(each) for each in splits}
    return Scaling(_plain(low), _plain(high), ones, streams, fixed)


def calibrate(manifest: Manifest, runtime: Runtime, splits: Sequence[Split]) -> Manifest:
    """Return the manifest with all that is measured; DataError if too few held-out slots can be judged."""
    pieces = [piece for stream, each in enumerate(splits) for piece in _pieces(stream, each, manifest, len(splits))]
    stream, held = np.array([piece.stream for piece in pieces]), np.array([piece.held for piece in pieces])
    seen = _observe(manifest, runtime, pieces, np.ones((len(pieces), len(manifest.channels))))
    if (count := int(held[seen.piece].sum())) < LEAST_HELD_OUT:
        raise DataError(
            f"{manifest.name}: expected at least {LEAST_HELD_OUT} held-out slots to calibrate on, got {count}"
        )
    own, pooled = _spreads(seen.error, stream[seen.piece], len(splits))
    manifest = replace(manifest, sustained=sustained_slots(len(seen.piece)))
    signals = _observe(manifest, runtime, pieces, own[stream]).signals
    reference = Reference.fit(signals)
    scaling = manifest.scaling
    streams = {
        each.recording.name: replace(scaling.streams[each.recording.name], spread=_plain(spread))
        for each, spread in zip(splits, own, strict=True)
    }
    return replace(
        manifest,
        scaling=replace(scaling, spread=_plain(pooled), streams=streams),
        reference=reference,
        tail=Tail.fit(surprises(signals, reference)),
    )


def sustained_slots(count: int) -> int:
    """Return over how many slots the sustained error is taken where so many were calibrated on.

    >>> sustained_slots(400), sustained_slots(1600), sustained_slots(100_000)
    (8, 20, 32)
    """
    return min(max(count // MEANS, LEAST_SUSTAINED), MOST_SUSTAINED)


def surprises(signals: NDArray[np.float32], reference: Reference) -> Values:
    """Return the summed surprises (n,) of signals (n, SIGNALS), in decades, against a reference that stays."""
    records = new_records(1, record_dtype(1, 0))
    reference.begin(records)
    total: Values = Followed(records).surprise(signals).sum(axis=1).astype(np.float64)
    return total


def held_out(each: Split, burn_in: int) -> slice:
    """Return the rows of a stream's held-out part with the burn-in before it."""
    return slice(max(each.held_from - burn_in, 0), len(each.recording.values))


def replay(
    manifest: Manifest, runtime: Runtime, splits: Sequence[Split], per_slot: float = 0.0, *, adapts: bool = True
) -> Verdicts:
    """Return the verdicts on the held-out parts, ordered by stream and time, stream k being that of split k.

    `per_slot` is the budget, in alarms a slot; 0 is a limit that nothing reaches.
    """
    every = (piece for stream, each in enumerate(splits) for piece in _pieces(stream, each, manifest, len(splits)))
    pieces = [piece for piece in every if piece.held]
    engine = Engine(manifest, runtime, per_slot, adapts=adapts)
    _add(engine, pieces)
    verdicts = engine.feed(of_recordings([piece.recording for piece in pieces], manifest.channels))
    verdicts = verdicts.take(verdicts.time >= np.array([piece.begin_ms for piece in pieces])[verdicts.stream])
    stream = np.array([piece.stream for piece in pieces], np.int32)[verdicts.stream]
    return replace(verdicts, stream=stream).take(np.lexsort((verdicts.time, stream)))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some of a stream's slots, with the lead-in before them."""

    stream: int
    held: bool  #: whether they were held out
    recording: Recording
    begin_ms: int  #: where the lead-in ends
    least: Values  #: (C,) scaled values of all slots before the lead-in; NaN where there are none
    most: Values


def _pieces(stream: int, each: Split, manifest: Manifest, streams: int) -> Iterator[_Piece]:
    """Cut a stream's last slots; the first piece has only the burn-in before it, as all of it would."""
    learnt_from = max(each.held_from - LEARNT_SLOTS // streams, min(manifest.burn_in, each.held_from))
    day = manifest.day_bins and 86_400_000 // manifest.interval_ms + 1
    lead = max(LEAD, manifest.burn_in, day, manifest.segments * SEGMENT)
    for held, first, stop in (
        (False, learnt_from, each.held_from),
        (True, each.held_from, len(each.recording.values)),
    ):
        for begin in range(first, stop, PIECE):
            start = max(begin - lead, 0)
            least, most = _range(each, slice(0, start))
            part = each.recording.part(slice(start, min(begin + PIECE, stop)))
            begin_ms = (each.recording.first + begin) * each.recording.interval_ms
            yield _Piece(stream, held, part, begin_ms, least, most)


def _add(engine: Engine, pieces: Sequence[_Piece]) -> NDArray[np.int32]:
    """Have an engine watch pieces, of whose streams only the values before are known, and return their rows."""
    rows = engine.add([piece.recording.name for piece in pieces])
    records = engine.table.gather(rows)
    records["least"], records["most"] = [piece.least for piece in pieces], [piece.most for piece in pieces]
    engine.table.scatter(rows, records)
    return rows


@dataclass(frozen=True, slots=True)
class _Observed:
    """What the engine saw in n judged slots."""

    piece: NDArray[np.int32]  #: (n,)
    error: NDArray[np.float32]  #: (n, C) absolute, over its unit; NaN where nothing came
    signals: NDArray[np.float32]  #: (n, SIGNALS)


def _observe(manifest: Manifest, runtime: Runtime, pieces: Sequence[_Piece], spread: Values) -> _Observed:
    """Run pieces whose usual errors are spread (pieces, C), and return what was seen after their lead-ins."""
    begin = np.array([piece.begin_ms for piece in pieces]) // manifest.interval_ms
    seen: list[_Observed] = []

    def note(
        rows: NDArray[np.int32],
        slot: NDArray[np.int64],
        error: NDArray[np.float32],
        signals: NDArray[np.float32],
        judged: NDArray[np.bool_],
    ) -> None:
        chosen = judged & (slot >= begin[rows])
        seen.append(_Observed(rows[chosen], error[chosen], signals[chosen]))

    engine = Engine(replace(manifest, reference=NO_REFERENCE), runtime, 0.0, adapts=False, observer=note)
    rows = _add(engine, pieces)
    records = engine.table.gather(rows)
    records["spread"] = spread
    records["rare"] = 4.0  # usual errors: what the sustained signal is held to
    engine.table.scatter(rows, records)
    engine.feed(of_recordings([piece.recording for piece in pieces], manifest.channels))
    return _Observed(
        *(np.concatenate([getattr(each, name) for each in seen]) for name in ("piece", "error", "signals"))
    )


def _spreads(error: NDArray[np.float32], stream: NDArray[np.int32], streams: int) -> tuple[Values, Values]:
    """Return the mean errors of each stream (streams, C), and of all (C,); `error` (n, C) is of the streams (n,)."""
    there = np.isfinite(error)
    total, count = np.zeros((streams, error.shape[1])), np.zeros((streams, error.shape[1]))
    np.add.at(total, stream, np.where(there, error, 0.0))
    np.add.at(count, stream, there)
    pooled = total.sum(axis=0) / np.maximum(count.sum(axis=0), 1)
    return np.where(count > 0, total / np.maximum(count, 1), pooled), pooled


def _unit_scaling(each: Split) -> StreamScaling:
    least, most = _range(each, slice(None))
    known = np.isfinite(least)
    least, most = np.where(known, least, 0.0), np.where(known, most, 0.0)
    ones = (1.0,) * len(each.scale)
    return StreamScaling(_plain(each.location), _plain(each.scale), ones, _plain(least), _plain(most))


def _range(each: Split, rows: slice) -> tuple[Values, Values]:
    """Return the least and the greatest scaled value (C,) of rows; NaN of a channel that says nothing there."""
    none = np.full((1, len(each.scale)), np.nan)
    values = np.concatenate([none, each.scaled[rows]])
    return np.fmin.reduce(values), np.fmax.reduce(values)


def _plain(numbers: Values) -> tuple[float, ...]:
    return tuple(map(float, numbers))
