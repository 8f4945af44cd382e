"""The drawing of an episode: a program that reads it from standard input and writes a PNG to standard output."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from service.chart import figure_of, plot_values, shade_alarms, tell_times
from service.notifications.episode import Episode

_NICE = 10  # readings come first


def draw(episode: Episode) -> None:
    """Write the picture to standard output."""
    time = [_moment(each) for each in episode.time]
    with figure_of(8, 3.2) as figure:
        axes = figure.subplots()
        value, lower, upper = map(_numbers, (episode.value, episode.lower, episode.upper))
        plot_values(axes, time, value, lower, upper, _plain(episode.unit))
        shade_alarms(axes, [(_moment(episode.start), time[-1] if episode.end is None else _moment(episode.end))])
        axes.set_title(_plain(episode.title), loc="left")
        axes.legend(loc="upper left", ncols=3, frameon=False)
        tell_times(axes, ZoneInfo(episode.time_zone))
        figure.savefig(sys.stdout.buffer, format="png")


def _numbers(column: Sequence[float | None]) -> list[float]:
    return [float("nan") if each is None else each for each in column]


def _moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def _plain(text: str) -> str:
    """Return a text in which matplotlib finds no formula."""
    return text.replace("$", r"\$")[:120]


if __name__ == "__main__":
    os.nice(_NICE)
    draw(msgspec.json.decode(sys.stdin.buffer.read(), type=Episode))
