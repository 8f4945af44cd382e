"""The timeline: each stream as a line, with its labelled windows and its alarms on it."""

from dataclasses import dataclass

import numpy as np

from models.backtest.backtest import Backtest
from models.backtest.pictures import alarm_kinds
from models.backtest.spans import Spans

MOST = 100  #: streams that are drawn
LEAST_WIDTH = 0.25  #: per cent of the line; a narrower mark would not be seen


@dataclass(frozen=True, slots=True)
class Mark:
    """A window or an alarm on a line, in per cent of its length."""

    kind: str  #: labelled, right, repeated, false, or alarm without labels
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """One stream."""

    name: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The streams that are shown, and how many are not."""

    lines: tuple[Line, ...]
    left_out: int


def draw(backtest: Backtest) -> Timeline:
    """Return the lines of at most MOST streams by name, those with the most alarms and windows before the others."""
    judged, names = backtest.judged, backtest.detected.names
    windows = judged.windows if judged.windows is not None else judged.alarms.take(np.zeros(len(judged.alarms), bool))
    busy = np.bincount(judged.alarms.stream, minlength=len(names)) + np.bincount(windows.stream, minlength=len(names))
    chosen = np.argsort(-busy, kind="stable")[:MOST].tolist()
    kinds = np.array([each or "alarm" for each in alarm_kinds(backtest)], dtype=object)
    lines = []
    for row in sorted(chosen, key=lambda row: names[row]):
        alarmed = judged.alarms.stream == row
        own = windows.take(windows.stream == row)
        marks = _marks(backtest, own, ["labelled"] * len(own))
        marks += _marks(backtest, judged.alarms.take(alarmed), kinds[alarmed].tolist())
        lines.append(Line(names[row], tuple(marks)))
    return Timeline(tuple(lines), len(names) - len(chosen))


def _marks(backtest: Backtest, spans: Spans, kinds: list[str]) -> list[Mark]:
    stretch = backtest.conditions.stretch
    length = stretch.end_ms - stretch.start_ms
    left = 100 * (spans.start - stretch.start_ms) / length
    right = 100 * (np.minimum(spans.end, stretch.end_ms) - stretch.start_ms) / length
    width = np.maximum(right - left, LEAST_WIDTH)
    return [
        Mark(kind, round(float(np.minimum(start, 100 - size)), 3), round(float(size), 3))
        for kind, start, size in zip(kinds, left, width, strict=True)
    ]
