"""A chart: a channel's values, the band that was expected of them, and alarms as shaded episodes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

VALUE, BAND, ALARM = "#1b4965", "#62b6cb", "#d1495b"


@contextmanager
def figure_of(width: float, height: float) -> Iterator[Figure]:
    """Yield a figure, its size in inches."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        yield Figure(figsize=(width, height), dpi=110, layout="constrained")


def plot_values(axes: Axes, time: Any, value: Any, lower: Any, upper: Any, unit: str) -> None:
    """Draw n values and their band, at datetimes."""
    axes.fill_between(time, lower, upper, color=BAND, alpha=0.45, linewidth=0, label="expected band")
    axes.plot(time, value, color=VALUE, linewidth=0.9, label="value")
    axes.set_ylabel(unit)
    axes.margins(x=0.01)


def shade_alarms(axes: Axes, alarms: Sequence[tuple[datetime, datetime]]) -> None:
    """Shade alarms from their starts to their ends."""
    for number, (start, end) in enumerate(alarms):
        label = "alarm" if number == 0 else None
        axes.axvspan(date2num(start), date2num(end), color=ALARM, alpha=0.22, linewidth=0, label=label)
        axes.axvline(date2num(start), color=ALARM, linewidth=1)


def tell_times(axes: Axes, zone: Any = None) -> None:
    """Write times below the axes, on the clock of a zone; None: as they are."""
    locator = AutoDateLocator(tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
