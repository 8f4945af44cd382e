"""The picture of the demo: value, expected band and alarms."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from service.demo.outcome import Outcome
from service.demo.recording import EVENTS, UNIT

VALUE, BAND, ALARM = "#1b4965", "#62b6cb", "#d1495b"


def draw(outcome: Outcome, path: Path) -> None:
    """Draw the whole recording, and the same at the scale of its ordinary days, as a PNG."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(12, 6.4), dpi=110, layout="constrained")
        whole, close = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.4])
        for axes in (whole, close):
            _plot(axes, outcome)
        whole.set_title("Water flow through a branch of a pipeline: what Foresense expected, and what came", loc="left")
        whole.legend(loc="lower right", ncols=3, frameon=False)
        close.set_ylim(95, 112)
        close.set_title("The same, closer", loc="left", fontsize=9)
        for event in EVENTS:
            whole.annotate(
                event.name, (event.start, 1.0), xycoords=("data", "axes fraction"), xytext=(0, -12),
                textcoords="offset points", ha="right", fontsize=8, color=ALARM,
            )  # fmt: skip
        locator = AutoDateLocator()
        close.xaxis.set_major_locator(locator)
        close.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        figure.savefig(path)


def _plot(axes: Axes, outcome: Outcome) -> None:
    time = outcome.time
    axes.fill_between(time, outcome.lower, outcome.upper, color=BAND, alpha=0.45, linewidth=0, label="expected band")
    axes.plot(time, outcome.value, color=VALUE, linewidth=0.9, label="value")
    for number, alarm in enumerate(outcome.alarms):
        label = "alarm" if number == 0 else None
        axes.axvspan(date2num(alarm.start), date2num(alarm.end), color=ALARM, alpha=0.22, linewidth=0, label=label)
        axes.axvline(date2num(alarm.start), color=ALARM, linewidth=1)
    axes.set_ylabel(UNIT)
    axes.margins(x=0.01)
