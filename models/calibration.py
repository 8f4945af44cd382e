"""Calibration: what errors are usual on data that was not learnt from.

The held-out part of every stream is run through the engine itself, with the exported step, a limit that nothing
reaches and spreads that stay 1; so the errors are the ones that will be seen in service, and the scores follow
from them by the engine's own scorer. A long part is cut into pieces that run side by side, each with a lead-in.
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
from edge.runtime import Runtime
from edge.score import Scorer
from edge.state import record_dtype
from models.data.readings import of_recordings
from models.data.recordings import Recording
from models.training.sequences import LEAST_HELD_OUT, Split

NO_LIMIT = 1e6  #: spreads; nothing reaches it
LEAST_ERROR = 1.0  #: spreads; a smaller one counts as this, so that a channel at rest gets no limit of nothing
PIECE = 4096  #: held-out slots that are run one after another
LEAD = 1024  #: slots before a later piece, or its burn-in if that is longer; they only fill its memory

Values = NDArray[np.float64]


def unit_scaling(splits: Sequence[Split], low: Values, high: Values, *, fixed: bool) -> Scaling:
    """Return the streams' scaling while their spreads are not known, all being 1."""
    ones = (1.0,) * len(low)
    streams = {each.recording.name: StreamScaling(_plain(each.location), _plain(each.scale), ones) for each in splits}
    return Scaling(_plain(low), _plain(high), ones, streams, fixed)


def calibrate(manifest: Manifest, runtime: Runtime, splits: Sequence[Split]) -> Manifest:
    """Return the manifest with the spreads and the tail of the held-out errors; DataError if there are too few."""
    ones = np.ones((len(splits), len(manifest.channels)))
    verdicts = replay(_with_spreads(manifest, splits, ones[0], ones), runtime, splits, adapts=False)
    verdicts = verdicts.take(np.isfinite(verdicts.score))
    if len(verdicts) < LEAST_HELD_OUT:
        raise DataError(
            f"{manifest.name}: expected at least {LEAST_HELD_OUT} held-out slots to calibrate on, got {len(verdicts)}"
        )
    error = np.abs(verdicts.value - verdicts.expected) * (2 * NO_LIMIT) / (verdicts.upper - verdicts.lower)
    pooled, own = _spreads(error, verdicts.stream, len(splits))
    scores = _scores(error.astype(np.float32), verdicts.stream, own)
    return replace(
        _with_spreads(manifest, splits, pooled, own), tail=Tail.fit(np.maximum(scores, LEAST_ERROR, dtype=np.float64))
    )


def held_out(each: Split, burn_in: int) -> slice:
    """Return the rows of a stream's held-out part with the burn-in before it."""
    return slice(max(each.held_from - burn_in, 0), len(each.recording.values))


def replay(
    manifest: Manifest, runtime: Runtime, splits: Sequence[Split], limit: float = NO_LIMIT, *, adapts: bool = True
) -> Verdicts:
    """Return the verdicts on the held-out parts, ordered by stream and time, stream k being that of split k."""
    pieces = [piece for stream, each in enumerate(splits) for piece in _pieces(stream, each, manifest.burn_in)]
    engine = Engine(manifest, runtime, limit, adapts=adapts)
    engine.add([piece.recording.name for piece in pieces])
    verdicts = engine.feed(of_recordings([piece.recording for piece in pieces]))
    verdicts = verdicts.take(verdicts.time >= np.array([piece.begin_ms for piece in pieces])[verdicts.stream])
    stream = np.array([piece.stream for piece in pieces], np.int32)[verdicts.stream]
    return replace(verdicts, stream=stream).take(np.lexsort((verdicts.time, stream)))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some of a stream's held-out slots, with the lead-in before them."""

    stream: int
    recording: Recording
    begin_ms: int  #: where the lead-in ends


def _pieces(stream: int, each: Split, burn_in: int) -> Iterator[_Piece]:
    """Cut a stream's held-out part; the first piece has only the burn-in before it, as all of it would."""
    rows = held_out(each, burn_in)
    for begin in range(each.held_from, rows.stop, PIECE):
        lead = slice(max(begin - max(LEAD, burn_in), rows.start), min(begin + PIECE, rows.stop))
        yield _Piece(stream, each.recording.part(lead), (each.recording.first + begin) * each.recording.interval_ms)


def _spreads(error: Values, stream: NDArray[np.int32], streams: int) -> tuple[Values, Values]:
    """Return the mean of the errors (n, C), in their units, of all streams (C,) and of each one (streams, C)."""
    there = np.isfinite(error)
    total, count = np.zeros((streams, error.shape[1])), np.zeros((streams, error.shape[1]))
    np.add.at(total, stream, np.where(there, error, 0.0))
    np.add.at(count, stream, there)
    pooled = total.sum(axis=0) / np.maximum(count.sum(axis=0), 1)
    return pooled, np.where(count > 0, total / np.maximum(count, 1), pooled)


def _scores(error: NDArray[np.float32], stream: NDArray[np.int32], spread: Values) -> NDArray[np.float32]:
    """Return the standardised errors (n,) of errors (n, C) in their units, each spread following the errors before.

    The rows are ordered by stream and time. Streams are taken by length, so that those that go on are the first.
    """
    count = np.bincount(stream, minlength=len(spread))
    order = np.argsort(-count, kind="stable")
    first, shorter = np.searchsorted(stream, order), -count[order]

    scorer, scores = Scorer(limit=1.0), np.empty(len(error), np.float32)
    records = np.zeros(len(spread), record_dtype(spread.shape[1], 0))
    records["spread"], records["width"] = spread[order], 1
    unit = scorer.unit(records)
    for slot in range(int(count.max())):
        going = int(np.searchsorted(shorter, -slot))
        rows, part = first[:going] + slot, records[:going]
        now = error[rows]
        scores[rows], _ = scorer.score(now, scorer.reach(unit[:going], part))
        scorer.learn(now, part)
    return scores


def _with_spreads(manifest: Manifest, splits: Sequence[Split], pooled: Values, own: Values) -> Manifest:
    """Return the manifest with the spread of all streams together (C,) and of each one (streams, C)."""
    scaling = manifest.scaling
    streams = {
        each.recording.name: replace(scaling.streams[each.recording.name], spread=_plain(spread))
        for each, spread in zip(splits, own, strict=True)
    }
    return replace(manifest, scaling=replace(scaling, spread=_plain(pooled), streams=streams))


def _plain(numbers: Values) -> tuple[float, ...]:
    return tuple(map(float, numbers))
