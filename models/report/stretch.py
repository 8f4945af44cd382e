"""Stretches of held-out slots that are worth a look: where a stream did as streams do, and where one did worst."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.search.evidence import Evidence

SLOTS = 240  #: shown at most


@dataclass(frozen=True, slots=True)
class Stretch:
    """Successive judged slots of one channel of one stream."""

    title: str
    stream: str
    channel: str
    unit: str
    time: NDArray[np.int64]  #: (n,) UTC epoch, milliseconds; as in all that follows
    value: NDArray[np.float64]
    expected: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Return which values lie outside the band (n,)."""
        return (self.value < self.lower) | (self.value > self.upper)


def choose(evidence: Evidence) -> list[Stretch]:
    """Return the end of the stream whose errors are the median of all, and the surroundings of the worst score."""
    verdicts = evidence.verdicts
    errors = [float(np.nanmean(np.abs(each))) if len(each) else np.nan for each in evidence.residuals]
    order = [row for row in np.argsort(errors).tolist() if np.isfinite(errors[row])]
    typical = np.flatnonzero(verdicts.stream == order[(len(order) - 1) // 2])
    worst = int(np.argmax(verdicts.score))
    around = np.flatnonzero(verdicts.stream == verdicts.stream[worst])
    first = max(min(int(np.searchsorted(around, worst)) - SLOTS // 2, len(around) - SLOTS), 0)
    return [
        _stretch(evidence, "A typical stream", typical[-SLOTS:]),
        _stretch(evidence, "Where an error was greatest", around[first : first + SLOTS]),
    ]


def _stretch(evidence: Evidence, title: str, rows: Sequence[int] | NDArray[np.intp]) -> Stretch:
    """Return the chosen verdicts, of the channel that had the greatest score among them."""
    part = evidence.verdicts.take(np.asarray(rows, np.intp))
    channel = int(part.channel[np.argmax(part.score)])
    told = evidence.manifest.channels[channel]
    return Stretch(
        title,
        evidence.splits[int(part.stream[0])].recording.name,
        told.name,
        told.unit,
        part.time,
        part.value[:, channel],
        part.expected[:, channel],
        part.lower[:, channel],
        part.upper[:, channel],
    )
