"""The report's charts, as SVG that takes its colours from the page, so that they are right in light and dark."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from edge.calendar import zone
from edge.limits import Tail
from models.report.stretch import Stretch
from models.search.comparison import BASELINES, LINEAR, MARGIN, Comparison, percent
from models.training.fitting import Epoch

if TYPE_CHECKING:
    from models.search.tuning import Trial

# Colours that stand for variables of the page's style sheet; no two are alike, and none is used as it is.
INK, MUTED, GRID, FIRST, SECOND = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
_VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", FIRST: "first", SECOND: "second"}
_STYLE: dict[Any, Any] = {
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 10,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.xmargin": 0.01,
    "figure.facecolor": "none",
    "font.size": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}
FAR = 1.5  #: times the least error
Period = tuple[int, int]
_NOTHING_MORE = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def forecast(stretch: Stretch, time_zone: str, alarm: Period | None = None, labelled: Sequence[Period] = ()) -> str:
    """Draw observed values over the band in which they were expected, an alarm shaded, labelled windows underlined.

    A period is a start and an end within the stretch, UTC epoch milliseconds.
    """
    time = stretch.time.astype("datetime64[ms]")
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(9, 2.9)
        for each in labelled:
            _shade(axes, each, ymax=0.04, color=MUTED, label="labelled")
        if alarm is not None:
            _shade(axes, alarm, color=SECOND, alpha=0.14, label="alarm")
        axes.fill_between(
            time, stretch.lower, stretch.upper, color=FIRST, alpha=0.22, linewidth=0, label="expected band"
        )
        axes.plot(time, stretch.expected, color=FIRST, linewidth=1.2, linestyle=(0, (4, 2)), label="forecast")
        axes.plot(time, stretch.value, color=INK, linewidth=1.1, label="observed")
        outside = stretch.outside
        axes.plot(
            time[outside], stretch.value[outside], "o", color=SECOND, markersize=5, fillstyle="none", label="outside"
        )
        locator = AutoDateLocator(minticks=3, maxticks=7, tz=zone(time_zone))
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone(time_zone)))
        _legend_above(axes, 6)
        return _svg(figure, f"forecast {stretch.title}")


def learning(history: Sequence[Epoch], references: dict[str, float]) -> str:
    """Draw the held-out error and the loss over the epochs, with the errors of forecasts that need no network."""
    epochs = [each.number for each in history]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 2.9), layout="constrained")
        error, loss = figure.subplots(1, 2, width_ratios=[1.5, 1])
        error.plot(epochs, [each.error for each in history], color=FIRST, linewidth=1.6, label="held-out error")
        for (name, level), dashes in zip(references.items(), ((5, 2), (1, 2)), strict=False):
            error.axhline(level, color=SECOND, linewidth=1.2, linestyle=(0, dashes), label=name)
        best = min(history, key=lambda each: each.error)
        error.plot([best.number], [best.error], "o", color=FIRST, markersize=5, label="least")
        error.set_ylabel("error")
        error.set_xlabel("epoch")
        error.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        _legend_above(error, 4)
        loss.plot(epochs, [each.loss for each in history], color=MUTED, linewidth=1.4)
        loss.set_ylabel("loss learnt from")
        loss.set_xlabel("epoch")
        loss.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        return _svg(figure, "learning")


def tail(surprises: NDArray[np.float64], fitted: Tail, limit: float, per_slot: float) -> str:
    """Draw the share of slots that exceed each surprise, the fitted tail, and the limit."""
    ordered = np.sort(surprises)
    share = 1 - np.arange(len(ordered)) / len(ordered)
    kept = np.unique(np.r_[np.linspace(0, len(ordered) - 1, 400).astype(int), np.arange(len(ordered))[-300:]])
    reach = np.array([fitted.threshold, max(limit, ordered[-1]) * 1.05])
    rate = fitted.exceeding / fitted.count * np.exp(-(reach - fitted.threshold) / fitted.mean_excess)
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(6, 3.6)
        axes.plot(ordered[kept], share[kept], color=INK, linewidth=1.4, label="held-out slots")
        axes.plot(reach, rate, color=FIRST, linewidth=1.4, linestyle=(0, (5, 2)), label="fitted tail")
        axes.axvline(limit, color=SECOND, linewidth=1.4, label="limit")
        axes.set_yscale("log")
        axes.set_ylim(min(per_slot, 1 / len(ordered)) / 2, 1.3)
        axes.set_xlim(0)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{100 * y:g} %"))
        axes.yaxis.set_minor_locator(mpl.ticker.NullLocator())
        axes.set_xlabel("surprise, in decades")
        axes.set_ylabel("slots that are more surprising")
        _legend_above(axes, 3)
        return _svg(figure, "tail")


def autocorrelation(values: NDArray[np.float64], bound: float) -> str:
    """Draw the autocorrelation of errors at lags 1, 2, ... and the lines between which 95 % of chance lies."""
    lags = 1 + np.arange(len(values))
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(6, 3.6)
        axes.axhspan(-bound, bound, color=FIRST, alpha=0.18, linewidth=0, label="95 % of pure chance")
        inside = np.abs(values) <= bound
        width = 2.0 if len(values) < 80 else 1.2
        axes.vlines(lags[inside], 0, values[inside], color=MUTED, linewidth=width)
        axes.vlines(lags[~inside], 0, values[~inside], color=SECOND, linewidth=width, label="beyond it")
        axes.axhline(0, color=MUTED, linewidth=0.6)
        reach = max(1.15 * float(np.abs(values).max(initial=0)), 2 * bound)
        axes.set_ylim(-reach, reach)
        axes.set_xlabel("slots apart")
        axes.set_ylabel("correlation of errors")
        _legend_above(axes, 2)
        return _svg(figure, "autocorrelation")


def families(comparison: Comparison) -> str:
    """Draw each family's held-out error beside the linear model's; what is FAR from the best stands at the edge."""
    errors = dict(reversed([(row.family, row.measured.error) for row in comparison.ranked if row.measured]))
    end = FAR * min(errors.values())
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(9, 0.9 + 0.26 * len(errors))
        if LINEAR in errors:
            axes.axvspan(errors[LINEAR] * (1 - MARGIN), errors[LINEAR], color=SECOND, alpha=0.25, linewidth=0)
            axes.axvline(errors[LINEAR], color=SECOND, linewidth=1.2)
        for row, (name, error) in enumerate(errors.items()):
            colour, marker = (SECOND, "D") if name in BASELINES else (FIRST, "o")
            axes.plot([min(error, end)], [row], marker if error <= end else ">", color=colour, markersize=7)
            if name != LINEAR and LINEAR in errors:
                side, at = ("left", 9) if error < 0.9 * end else ("right", -9)
                axes.annotate(
                    percent(comparison.gain(name)), (min(error, end), row), (at, 0), textcoords="offset points",
                    ha=side, va="center", color=MUTED,
                )  # fmt: skip
        axes.set_yticks(range(len(errors)), list(errors))
        axes.set_ylim(-0.7, len(errors) - 0.3)
        axes.margins(x=0.06)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("held-out error, mean absolute, scaled")
        return _svg(figure, "families")


def search(trials: "Sequence[Trial]") -> str:
    """Draw what each trial of a search ended with, and the best so far."""
    done = [each for each in trials if np.isfinite(each.error)]
    complete = [each for each in done if each.state == "complete"]
    pruned = [each for each in done if each.state == "pruned"]
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(9, 2.9)
        axes.plot(
            [each.number for each in pruned], [each.error for each in pruned], "x", color=MUTED, label="given up early"
        )
        axes.plot([each.number for each in complete], [each.error for each in complete], "o", color=FIRST, label="done")
        best = np.minimum.accumulate([each.error for each in complete])
        axes.step(
            [each.number for each in complete], best, color=SECOND, where="post", linewidth=1.4, label="best so far"
        )
        axes.set_ylim(*_sensible_range([each.error for each in complete]))
        axes.set_xlabel("trial")
        axes.set_ylabel("error in the search")
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        _legend_above(axes, 3)
        return _svg(figure, "search")


def _sensible_range(errors: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis that a few bad trials do not set."""
    low, middle = min(errors), float(np.median(errors))
    reach = max(3 * (middle - low), 0.05 * low)
    return low - reach / 10, low + reach


def _shade(axes: Axes, period: Period, **look: Any) -> None:
    start, end = date2num(np.array(period, "datetime64[ms]"))
    axes.axvspan(float(start), float(end), linewidth=0, **look)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _legend_above(axes: Axes, columns: int) -> None:
    lines = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))  # each name once
    axes.legend(
        lines.values(), lines.keys(), loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=columns, borderaxespad=0,
        columnspacing=1.2,
    )  # fmt: skip


def _svg(figure: Figure, salt: str) -> str:
    """Return the figure as an SVG element; the salt keeps the ids of a page's charts apart."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": salt}):
        figure.savefig(buffer, format="svg", metadata=_NOTHING_MORE)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    for namespace in (' xmlns="http://www.w3.org/2000/svg"', ' xmlns:xlink="http://www.w3.org/1999/xlink"'):
        text = text.replace(namespace, "")
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    return text
