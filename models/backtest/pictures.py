"""Pictures of alarms: what a stream did around each, and what is to be said of it."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from edge.explain import explain
from edge.reading import Verdicts
from models.backtest.backtest import Backtest
from models.backtest.judged import Judged, slots_of
from models.backtest.summary import moment
from models.report import charts
from models.report.document import drawn
from models.report.stretch import Stretch

MOST = 200  #: alarms that are drawn
BEFORE, AFTER, MOST_WITHIN = 60, 20, 160  #: slots drawn before an alarm, after it, and of it


@dataclass(frozen=True, slots=True)
class Picture:
    """One alarm as the report shows it."""

    stream: str
    when: str
    judged: str  #: right, repeated or false; empty without labels
    sentence: str
    caption: str
    svg: Markup


def draw(backtest: Backtest) -> list[Picture]:
    """Return the pictures of the alarms with the highest scores, at most MOST, by stream and time."""
    verdicts = _by_row(backtest.detected.verdicts)
    first, stop = backtest.judged.alarms.overlapped_by(slots_of(verdicts, backtest.judged.interval_ms))
    episodes = [slice(*rows) for rows in zip(first.tolist(), stop.tolist(), strict=True)]
    peaks = np.array([np.nanmax(verdicts.score[rows]) for rows in episodes])
    kinds = alarm_kinds(backtest)
    return [
        _picture(backtest, verdicts, number, episodes[number], kinds[number])
        for number in sorted(np.argsort(-peaks, kind="stable")[:MOST].tolist())
    ]


def alarm_kinds(backtest: Backtest) -> list[str]:
    """Return of each alarm whether it was right, repeated or false; '' without labels."""
    worth = backtest.outcomes[0].worth
    if worth is None:
        return [""] * len(backtest.judged.alarms)
    events = worth.events
    told = np.where(events.repeat, "repeated", np.where(events.right, "right", "false"))
    return [str(each) for each in told]


def _picture(backtest: Backtest, verdicts: Verdicts, number: int, rows: slice, kind: str) -> Picture:
    manifest, judged = backtest.bundle.manifest, backtest.judged
    peak = rows.start + int(np.nanargmax(verdicts.score[rows]))
    channel = manifest.channels[int(verdicts.channel[peak])]
    own = np.flatnonzero(verdicts.stream == verdicts.stream[rows.start])
    shown = slice(max(rows.start - BEFORE, int(own[0])), min(rows.start + MOST_WITHIN, rows.stop) + AFTER)
    part = verdicts.take(np.arange(shown.start, min(shown.stop, int(own[-1]) + 1)))
    stream = backtest.detected.names[int(verdicts.stream[rows.start])]
    end_ms = int(part.time[-1]) + judged.interval_ms
    alarm = (int(judged.alarms.start[number]), min(int(judged.alarms.end[number]), end_ms))
    at = int(verdicts.channel[peak])
    stretch = Stretch(
        f"alarm {number}", stream, channel.name, channel.unit,
        part.time, part.value[:, at], part.expected[:, at], part.lower[:, at], part.upper[:, at],
    )  # fmt: skip
    labelled = _labelled(judged, int(verdicts.stream[rows.start]), int(part.time[0]), end_ms)
    hidden = rows.stop - rows.start - MOST_WITHIN
    return Picture(
        stream,
        moment(alarm[0], backtest),
        kind,
        explain(verdicts, rows.start, manifest, peak=float(verdicts.score[peak])).sentence(),
        f"{channel.name}{f' in {channel.unit}' if channel.unit else ''}, until "
        f"{moment(int(judged.alarms.end[number]), backtest)}, score up to {verdicts.score[peak]:.3g}"
        + (f"; the last {hidden} slots of it are not drawn" if hidden > 0 else ""),
        drawn(charts.forecast(stretch, manifest.time_zone, alarm, labelled)),
    )


def _by_row(verdicts: Verdicts) -> Verdicts:
    """Return verdicts ordered by stream and time."""
    return verdicts.take(np.lexsort((verdicts.time, verdicts.stream)))


def _labelled(judged: Judged, stream: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    if judged.windows is None:
        return []
    own = judged.windows.take(judged.windows.stream == stream)
    inside = own.take((own.end > start_ms) & (own.start < end_ms))
    clipped = zip(np.maximum(inside.start, start_ms), np.minimum(inside.end, end_ms), strict=True)
    return [(int(start), int(end)) for start, end in clipped]
