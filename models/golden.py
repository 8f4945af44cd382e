"""Golden readings: the end of what was held out, with a jump in it, and what is to be said of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.engine import Engine
from edge.golden import golden_bytes
from edge.limits import Budget
from edge.manifest import Manifest
from edge.runtime import Runtime
from edge.score import LEAST_SPREAD
from models.calibration import held_out
from models.data import Recording
from models.readings import of_recordings
from models.sequences import Split

STREAMS = 4
SLOTS = 200  #: of each stream, after its burn-in
JUMP = 3.0  #: half-widths of the band


def make_golden(manifest: Manifest, runtime: Runtime, splits: Sequence[Split]) -> bytes:
    """Return golden.npz with the verdicts that an engine of the runtime gives under the manifest's own budget."""
    limit = manifest.tail.limit(Budget.parse(manifest.budget).per_slot(manifest.interval_ms))
    recordings = [_with_jump(manifest, limit, each) for each in splits[:STREAMS]]
    names = [each.name for each in recordings]
    readings = of_recordings(recordings)
    engine = Engine(manifest, runtime, limit)
    engine.add(names)
    return golden_bytes(names, readings, engine.feed(readings))


def _with_jump(manifest: Manifest, limit: float, each: Split) -> Recording:
    """Return the last slots of a stream, the first channel jumping out of its band for one slot in the middle."""
    rows = held_out(each, manifest.burn_in)
    part = each.recording.part(slice(max(rows.start, rows.stop - SLOTS - manifest.burn_in), rows.stop))
    values = part.values.copy()
    row = (manifest.burn_in + len(values)) // 2
    spread = max(manifest.scaling.streams[part.name].spread[0], LEAST_SPREAD)
    before = values[row - 1, 0] if np.isfinite(values[row - 1, 0]) else each.location[0]
    values[row, 0] = before + JUMP * limit * spread * each.scale[0]
    return replace(part, values=values)
