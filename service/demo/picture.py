"""The picture of the demo: value, expected band and alarms."""

from pathlib import Path

from matplotlib.axes import Axes

from service.chart import ALARM, figure_of, plot_values, shade_alarms, tell_times
from service.demo.outcome import Outcome
from service.demo.recording import EVENTS, UNIT


def draw(outcome: Outcome, path: Path) -> None:
    """Draw the whole recording, and the same at the scale of its ordinary days, as a PNG."""
    with figure_of(12, 6.4) as figure:
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
        tell_times(close)
        figure.savefig(path)


def _plot(axes: Axes, outcome: Outcome) -> None:
    plot_values(axes, outcome.time, outcome.value, outcome.lower, outcome.upper, UNIT)
    shade_alarms(axes, [(alarm.start, alarm.end) for alarm in outcome.alarms])
