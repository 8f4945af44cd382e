"""The stretch that is judged: from which moment on verdicts count, so that nobody is judged by what it has learnt."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from edge.manifest import Manifest
from edge.reading import Verdicts

UNSEEN = "what the bundle has not learnt from"
SEEN = "the bundle has learnt from this, which flatters it"
AFTER_BASELINES = "the baselines learn from what is before"


@dataclass(frozen=True, slots=True)
class JudgedStretch:
    """From when to when verdicts count."""

    start_ms: int  #: UTC epoch
    end_ms: int
    reason: str  #: why it begins there; empty if the user said so


def choose_stretch(
    manifest: Manifest, names: list[str], verdicts: Verdicts, interval_ms: int, *, baselines: bool
) -> JudgedStretch:
    """Return from which moment on the verdicts on streams of those names are to count.

    That is the end of what the bundle has learnt from, where it lies within. Else it is the middle if baselines are to
    learn as well, and the beginning if not.
    """
    start, end = int(verdicts.time.min()), int(verdicts.time.max()) + interval_ms
    begin = start + (end - start) // 2 // interval_ms * interval_ms if baselines else start
    learnt_start, learnt_end = _learnt(manifest)
    if not set(names) & set(manifest.scaling.streams) or learnt_end <= start or learnt_start >= end:
        return JudgedStretch(begin, end, AFTER_BASELINES if baselines else UNSEEN)
    if learnt_end < end:
        return JudgedStretch(learnt_end, end, UNSEEN)
    return JudgedStretch(begin, end, SEEN)


def _learnt(manifest: Manifest) -> tuple[int, int]:
    """Return from when to when the bundle's data is; nothing if it does not say."""
    never = np.iinfo(np.int64).min
    ends = [manifest.data.get(name) for name in ("start", "end")]
    if None in ends:
        return never, never
    start, end = (round(datetime.fromisoformat(str(each)).timestamp() * 1000) for each in ends)
    return start, end
