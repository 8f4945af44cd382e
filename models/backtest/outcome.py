"""The outcome of a backtest: what one detector did, and what that is worth where there are labels."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backtest.judged import Judged
from models.backtest.metrics import nab
from models.backtest.metrics.events import Events, match
from models.backtest.metrics.points import Points, score_points
from models.backtest.metrics.vus import Vus, vus
from models.backtest.spans import Spans
from models.search.comparison import or_none
from models.search.task import WEEK_MS

LONGEST_BUFFER = 256  #: slots; of VUS


@dataclass(frozen=True, slots=True)
class Worth:
    """What alarms and scores are worth beside labelled windows."""

    events: Events  #: judges alarms
    false_per_week: float  #: alarms a stream, in the time outside windows
    points: Points  #: judges the slots in which an alarm was open
    vus: Vus  #: judges scores: the mean over the streams with windows; NaN if there is none
    nab: dict[str, float]  #: by profile; the opening of an alarm is a detection
    nab_best: dict[str, float]  #: by profile; a score from the best threshold on is a detection


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one detector did in the judged stretch; a failed one says why it could not be tried."""

    name: str
    streams: int = 0
    slots: int = 0  #: judged
    learning: int = 0  #: slots that were not, as their stream was still being learnt
    alarms: int = 0
    alarms_per_week: float = float("nan")  #: a stream
    worth: Worth | None = None
    failure: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as a JSON-ready object; numbers that are not known are null."""
        facts: dict[str, Any] = {
            "name": self.name,
            "failure": self.failure or None,
            "streams": self.streams,
            "slots": self.slots,
            "learning": self.learning,
            "alarms": self.alarms,
            "alarms_per_week": or_none(self.alarms_per_week),
        }
        return facts | (_worth_facts(self.worth) if self.worth else {})


def outcome(name: str, judged: Judged) -> Outcome:
    """Return what a detector did, and what it is worth if there are labels."""
    slots = len(judged.verdicts)
    return Outcome(
        name,
        len(np.unique(judged.verdicts.stream)),
        slots,
        judged.learning,
        len(judged.alarms),
        _per_week(len(judged.alarms), slots, judged.interval_ms),
        None if judged.windows is None else worth(judged, judged.windows),
    )


def worth(judged: Judged, windows: Spans) -> Worth:
    """Return what alarms and scores are worth beside labelled windows."""
    events = match(judged.alarms, windows)
    first, stop = judged.slots.overlapped_by(windows)
    labelled = first < stop
    series = _by_stream(judged, windows)
    told = [nab.rows_of(judged.opened[rows].astype(np.float64), inside) for rows, inside in series]
    scored = [nab.rows_of(judged.verdicts.score[rows], inside) for rows, inside in series]
    return Worth(
        events,
        _per_week(events.false, int((~labelled).sum()), judged.interval_ms),
        score_points(judged.alarmed, labelled),
        _mean_vus(judged, series),
        {each.name: nab.nab_score(told, each, 0.5).score for each in nab.PROFILES},
        {each.name: nab.nab_score(scored, each).score for each in nab.PROFILES},
    )


def _by_stream(judged: Judged, windows: Spans) -> list[tuple[slice, NDArray[np.intp]]]:
    """Return each stream's rows, and of each of its windows the first row and the one after the last among them."""
    first, stop = windows.overlapped_by(judged.slots)
    edges = np.flatnonzero(np.diff(judged.verdicts.stream, prepend=-1, append=-1))
    series = []
    for low, high in pairwise(edges.tolist()):
        own = (windows.stream == judged.verdicts.stream[low]) & (first < stop)
        series.append((slice(low, high), np.column_stack([first[own], stop[own]]) - low))
    return series


def _mean_vus(judged: Judged, series: list[tuple[slice, NDArray[np.intp]]]) -> Vus:
    """Return the mean volumes of the streams that have slots in windows and outside; L is the windows' mean length."""
    lengths = np.concatenate([inside[:, 1] - inside[:, 0] for _, inside in series] or [np.zeros(0, np.intp)])
    if not len(lengths):
        return Vus(float("nan"), float("nan"))
    longest = min(round(float(lengths.mean())), LONGEST_BUFFER)
    volumes = [
        vus(judged.verdicts.score[rows], inside, longest)
        for rows, inside in series
        if 0 < (inside[:, 1] - inside[:, 0]).sum() < rows.stop - rows.start
    ]
    return Vus(_mean([each.pr for each in volumes]), _mean([each.roc for each in volumes]))


def _mean(numbers: list[float]) -> float:
    return float(np.mean(numbers)) if numbers else float("nan")


def _per_week(count: int, slots: int, interval_ms: int) -> float:
    return count * WEEK_MS / (slots * interval_ms) if slots else float("nan")


def _worth_facts(worth: Worth) -> dict[str, Any]:
    events = worth.events
    numbers = {
        "precision": events.precision,
        "recall": events.recall,
        "f1": events.f1,
        "median_delay_s": events.median_delay_ms / 1000,
        "false_alarms_per_week": worth.false_per_week,
        "point_precision": worth.points.precision,
        "point_recall": worth.points.recall,
        "point_f1": worth.points.f1,
        "vus_pr": worth.vus.pr,
        "vus_roc": worth.vus.roc,
    }
    counts = {
        "windows": len(events.found),
        "found": int(events.found.sum()),
        "right": int(events.right.sum()),
        "repeats": int(events.repeat.sum()),
        "false": events.false,
    }
    return (
        counts
        | {name: or_none(number) for name, number in numbers.items()}
        | {"nab": {name: or_none(score) for name, score in worth.nab.items()}}
        | {"nab_best_threshold": {name: or_none(score) for name, score in worth.nab_best.items()}}
    )
