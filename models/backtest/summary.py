"""The summary of a backtest: a row for each number, a column for each detector."""

from collections.abc import Callable
from datetime import datetime

import numpy as np

from edge.calendar import zone
from edge.explain import duration
from models.backtest.backtest import Backtest
from models.backtest.metrics.nab import STANDARD
from models.backtest.outcome import Outcome, Worth

Row = tuple[str, list[str]]  #: what the number is, and the number of each detector


def rows(backtest: Backtest) -> list[Row]:
    """Return the numbers of the detectors that were judged."""
    done = [each for each in backtest.outcomes if not each.failure]
    budget = f"alarms a week a stream (budget {backtest.budget_per_week:.3g})"
    found = [
        ("streams", [f"{each.streams:,}" for each in done]),
        ("slots judged", [f"{each.slots:,}" for each in done]),
        ("alarms", [f"{each.alarms:,}" for each in done]),
        (budget, [_number(each.alarms_per_week, "{:.3g}") for each in done]),
    ]
    if any(each.learning for each in done):
        found.insert(2, ("slots while learning", [f"{each.learning:,}" for each in done]))
    if backtest.conditions.windows is not None:
        found += [(name, [_told(each, tell) for each in done]) for name, tell in _WORTH]
    return found


def heading(backtest: Backtest) -> str:
    """Say what is judged, and why that."""
    stretch, reason = backtest.conditions.stretch, backtest.conditions.stretch.reason
    period = f"{moment(stretch.start_ms, backtest)} to {moment(stretch.end_ms, backtest)}"
    return f"judged: {period}{f' ({reason})' if reason else ''}"


def notes(backtest: Backtest) -> list[str]:
    """Return what is to be known beside the numbers."""
    told = [f"{each.name}: {each.failure}" for each in backtest.outcomes if each.failure]
    if backtest.judged.open_before:
        told.append(f"alarms that were open already when the judged stretch began: {backtest.judged.open_before}")
    if backtest.judged.unseen:
        told.append(f"labelled windows without any data, not counted: {backtest.judged.unseen}")
    return told


def moment(time_ms: int, backtest: Backtest) -> str:
    """Return a time in the bundle's zone, in words."""
    local = datetime.fromtimestamp(time_ms / 1000, zone(backtest.conditions.time_zone))
    return f"{local:%Y-%m-%d %H:%M}{f':{local:%S}' if local.second else ''} {local:%Z}"


def _told(outcome: Outcome, tell: Callable[[Worth], str]) -> str:
    return tell(outcome.worth) if outcome.worth else ""


def _number(number: float, form: str) -> str:
    return form.format(number) if np.isfinite(number) else "-"


def _delay(worth: Worth) -> str:
    delay_ms = worth.events.median_delay_ms
    return duration(delay_ms / 1000) if np.isfinite(delay_ms) else "-"


_WORTH: tuple[tuple[str, Callable[[Worth], str]], ...] = (
    ("labelled windows found", lambda each: f"{int(each.events.found.sum())} of {len(each.events.found)}"),
    ("false alarms", lambda each: f"{each.events.false:,}"),
    ("false alarms a week a stream", lambda each: _number(each.false_per_week, "{:.3g}")),
    ("repeated alarms", lambda each: f"{int(each.events.repeat.sum()):,}"),
    ("event precision", lambda each: _number(each.events.precision, "{:.3f}")),
    ("event recall", lambda each: _number(each.events.recall, "{:.3f}")),
    ("event F1", lambda each: _number(each.events.f1, "{:.3f}")),
    ("median delay", _delay),
    ("point F1", lambda each: _number(each.points.f1, "{:.3f}")),
    ("VUS-PR", lambda each: _number(each.vus.pr, "{:.3f}")),
    ("VUS-ROC", lambda each: _number(each.vus.roc, "{:.3f}")),
    ("NAB, alarms", lambda each: _number(each.nab[STANDARD.name], "{:.1f}")),
    ("NAB, scores at their best threshold", lambda each: _number(each.nab_best[STANDARD.name], "{:.1f}")),
)
