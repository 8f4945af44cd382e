"""Golden readings: the end of what was held out, with a jump in it, and what is to be said of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.engine import Engine
from edge.golden import golden_bytes
from edge.limits import Budget
from edge.manifest import Manifest
from edge.reading import Verdicts
from edge.runtimes import Runtime
from models.calibration import held_out
from models.data.readings import of_recordings
from models.data.recordings import Recording
from models.training.sequences import Split

STREAMS = 4
SLOTS = 200  #: of each stream, after its burn-in
JUMP = 3.0  #: half-widths of the band


def make_golden(manifest: Manifest, runtime: Runtime, splits: Sequence[Split]) -> bytes:
    """Return golden.npz with the verdicts that an engine of the runtime gives under the manifest's own budget."""
    recordings = [_end(each, manifest.burn_in) for each in splits[:STREAMS]]
    calm = _judge(manifest, runtime, recordings)
    recordings = [_with_jump(each, calm.take(calm.stream == row)) for row, each in enumerate(recordings)]
    return golden_bytes(
        [each.name for each in recordings],
        of_recordings(recordings, manifest.channels),
        _judge(manifest, runtime, recordings),
    )


def _end(each: Split, burn_in: int) -> Recording:
    rows = held_out(each, burn_in)
    return each.recording.part(slice(max(rows.start, rows.stop - SLOTS - burn_in), rows.stop))


def _judge(manifest: Manifest, runtime: Runtime, recordings: Sequence[Recording]) -> Verdicts:
    engine = Engine(manifest, runtime, Budget.parse(manifest.budget).per_slot(manifest.interval_ms))
    engine.add([each.name for each in recordings])
    return engine.feed(of_recordings(recordings, manifest.channels))


def _with_jump(recording: Recording, calm: Verdicts) -> Recording:
    """Return a stream whose first channel jumps out of its band for one slot in the middle of what was judged."""
    judged = calm.take(np.isfinite(calm.score))
    if len(judged) == 0:
        return recording
    middle, values = len(judged) // 2, recording.values.copy()
    half = judged.upper[middle, 0] - judged.expected[middle, 0]
    values[judged.time[middle] // recording.interval_ms - recording.first, 0] = judged.expected[middle, 0] + JUMP * half
    return replace(recording, values=values)
