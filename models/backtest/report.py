"""The report of a backtest: one HTML file, in the frame of all reports."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from edge.alarm import AlarmPolicy
from edge.duration import duration_text
from edge.explain import duration
from models.backtest import pictures, timeline
from models.backtest.backtest import Backtest
from models.backtest.summary import heading, moment, notes, rows
from models.data.periods import Period
from models.report.document import render_document, write_document

MOST_WINDOWS = 200  #: labelled windows that are listed
_KEY = (("alarm", "alarm"),)
_KEYS = (("labelled", "labelled"), ("right", "right alarm"), ("repeated", "repeated"), ("false", "false"))
KEPT = 1.5  #: times the budget; more alarms than this are said to be too many


def write_report(path: Path, backtest: Backtest, labels: Sequence[Period] = ()) -> None:
    """Write the report of a backtest; DataError if the file cannot be written."""
    write_document(path, render(backtest, labels))


def render(backtest: Backtest, labels: Sequence[Period] = ()) -> str:
    """Return the report of a backtest as one HTML document."""
    drawn, windows = pictures.draw(backtest), _windows(backtest, labels)
    alarms = len(backtest.judged.alarms)
    return render_document(
        "backtest/report.html.j2",
        {},
        bundle=backtest.bundle,
        sentence=sentence(backtest),
        good=_rate(backtest) <= KEPT * backtest.budget_per_week,
        facts=_facts(backtest),
        detectors=[each.name for each in backtest.outcomes if not each.failure],
        rows=rows(backtest),
        notes=notes(backtest),
        timeline=timeline.draw(backtest),
        keys=_KEYS if backtest.judged.windows is not None else _KEY,
        starts=moment(backtest.conditions.stretch.start_ms, backtest),
        ends=moment(backtest.conditions.stretch.end_ms, backtest),
        labelled=backtest.judged.windows is not None,
        windows=windows[:MOST_WINDOWS],
        windows_left_out=max(len(windows) - MOST_WINDOWS, 0),
        pictures=drawn,
        pictures_left_out=alarms - len(drawn),
    )


def sentence(backtest: Backtest) -> str:
    """Say what came of it."""
    worth, budget = backtest.outcomes[0].worth, f"{backtest.budget_per_week:.3g}"
    if worth is None:
        alarms = backtest.outcomes[0].alarms
        return f"{_count(alarms, 'alarm')}: {_rate(backtest):.3g} a week a stream; the budget is {budget}."
    events = worth.events
    return (
        f"{int(events.found.sum())} of {_count(len(events.found), 'labelled window')} found; "
        f"{_count(events.false, 'false alarm')}, {_rate(backtest):.3g} a week a stream; the budget is {budget}."
    )


def _rate(backtest: Backtest) -> float:
    first = backtest.outcomes[0]
    rate = first.worth.false_per_week if first.worth else first.alarms_per_week
    return rate if np.isfinite(rate) else 0.0


def _facts(backtest: Backtest) -> list[tuple[str, str]]:
    manifest, conditions = backtest.bundle.manifest, backtest.conditions
    usual = asdict(AlarmPolicy())
    changed = [f"{name} {value}" for name, value in asdict(conditions.policy).items() if value != usual[name]]
    units = [f"{each.name} ({each.unit})" if each.unit else each.name for each in manifest.channels]
    return [
        ("Judged", heading(backtest).removeprefix("judged: ")),
        ("Forecaster", str(manifest.spec["family"])),
        ("Channels", ", ".join(units)),
        ("Interval", duration_text(manifest.interval_ms)),
        ("Budget", f"{conditions.budget} a stream"),
        ("Alarm policy", ", ".join(changed) or "as usual"),
        ("Readings", f"{backtest.detected.readings:,}"),
    ]


def _windows(backtest: Backtest, labels: Sequence[Period]) -> list[tuple[str, str, str, str, str, bool]]:
    """Return stream, start, end, label, what became of it, and whether it was missed, of each labelled window."""
    worth, windows = backtest.outcomes[0].worth, backtest.judged.windows
    if worth is None or windows is None:
        return []
    told = []
    for row in range(len(windows)):
        stream, start, end = int(windows.stream[row]), int(windows.start[row]), int(windows.end[row])
        name, found = backtest.detected.names[stream], bool(worth.events.found[row])
        own = [each.label for each in labels if each.stream in (None, name) and _overlap(each, start, end)]
        became = _found(worth.events.delay_ms[row]) if found else "missed"
        names = ", ".join(dict.fromkeys(filter(None, own)))
        told.append((name, moment(start, backtest), moment(end, backtest), names, became, not found))
    return told


def _found(delay_ms: float) -> str:
    return f"found after {duration(delay_ms / 1000)}" if delay_ms else "found at its start"


def _overlap(label: Period, start: int, end: int) -> bool:
    return label.start_ms < end and label.end_ms > start


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
