"""Calibration: what errors are usual on data that was not learnt from.

The held-out part of every stream is run through the engine itself, with the exported step and a limit
that nothing reaches; so the errors are the ones that will be seen in service.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.engine import Engine
from edge.errors import DataError
from edge.limits import Tail
from edge.manifest import Manifest, Scaling, StreamScaling
from edge.reading import Verdicts
from edge.runtime import Runtime
from models.readings import of_recordings
from models.sequences import LEAST_HELD_OUT, Split

NO_LIMIT = 1e6  #: spreads; nothing reaches it
LEAST_ERROR = 1.0  #: spreads; a smaller one counts as this, so that a channel at rest gets no limit of nothing


def unit_scaling(splits: Sequence[Split], low: NDArray[np.float64], high: NDArray[np.float64]) -> Scaling:
    """Return the streams' scaling while their spreads are not known, all being 1."""
    ones = (1.0,) * len(low)
    streams = {each.recording.name: StreamScaling(_plain(each.location), _plain(each.scale), ones) for each in splits}
    return Scaling(_plain(low), _plain(high), ones, streams)


def calibrate(manifest: Manifest, runtime: Runtime, splits: Sequence[Split]) -> Manifest:
    """Return the manifest with the spreads and the tail of the held-out errors; DataError if there are too few."""
    manifest = _with_spreads(manifest, splits, _replay(manifest, runtime, splits))
    verdicts = _replay(manifest, runtime, splits)
    errors = verdicts.score[np.isfinite(verdicts.score)].astype(np.float64) * NO_LIMIT
    if errors.size < LEAST_HELD_OUT:
        raise DataError(
            f"{manifest.name}: expected at least {LEAST_HELD_OUT} held-out slots to calibrate on, got {errors.size}"
        )
    return replace(manifest, tail=Tail.fit(np.maximum(errors, LEAST_ERROR)))


def held_out(each: Split, burn_in: int) -> slice:
    """Return the rows of a stream's held-out part with the burn-in before it."""
    return slice(max(each.held_from - burn_in, 0), len(each.recording.values))


def _replay(manifest: Manifest, runtime: Runtime, splits: Sequence[Split]) -> Verdicts:
    """Return the verdicts on the held-out parts, stream k being row k."""
    engine = Engine(manifest, runtime, NO_LIMIT)
    engine.add([each.recording.name for each in splits])
    return engine.feed(of_recordings([each.recording.part(held_out(each, manifest.burn_in)) for each in splits]))


def _with_spreads(manifest: Manifest, splits: Sequence[Split], verdicts: Verdicts) -> Manifest:
    """Return the manifest with each stream's mean absolute scaled error, and all streams' together."""
    scale = np.stack([each.scale for each in splits])
    error = np.abs(verdicts.value - verdicts.expected) / scale[verdicts.stream]
    there = np.isfinite(error)
    total, count = np.zeros_like(scale), np.zeros_like(scale)
    np.add.at(total, verdicts.stream, np.where(there, error, 0.0))
    np.add.at(count, verdicts.stream, there)
    pooled = total.sum(axis=0) / np.maximum(count.sum(axis=0), 1)
    own = np.where(count > 0, total / np.maximum(count, 1), pooled)

    scaling = manifest.scaling
    streams = {
        each.recording.name: replace(scaling.streams[each.recording.name], spread=_plain(spread))
        for each, spread in zip(splits, own, strict=True)
    }
    return replace(manifest, scaling=replace(scaling, spread=_plain(pooled), streams=streams))


def _plain(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(map(float, numbers))
