"""One stream: each channel with what was expected of it, the score, and the alarms."""

from grafana_foundation_sdk.builders import dashboard, timeseries
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue
from parts import BLUE, EVERY, GREY, Query, alarms, board, chart, limit_line, rows, tag_values, variable, where

_ALARMS = (
    '"state", "severity", "channel", "score", "peak_score", "value", "expected", "end", "explanation", "incident", '
    '"bundle"'
)


def stream() -> dashboard.Dashboard:
    """Return the dashboard."""
    made = board("stream", "Foresense stream", "One stream: values, what was expected, score and alarms.")
    made = made.with_variable(variable("site", tag_values("site")))
    made = made.with_variable(variable("stream", tag_values("stream", "verdict", "site"), one=True))
    made = made.with_variable(variable("channel", tag_values("channel", "verdict", "site", "stream")))
    made = made.annotation(alarms("site", "stream"))
    made = made.with_panel(_score()).with_panel(_band())
    wrong = where("site", "stream", "channel") + """ AND "quality" != ''"""
    flagged = f'SELECT "channel", "quality", "value" FROM "verdict" WHERE {wrong} ORDER BY time DESC LIMIT 200'
    what = "Slots in which something was wrong with a sensor or its link: stuck, silent, out of range, another unit."
    made = made.with_panel(rows("Data quality", what, flagged).height(7))
    found = f'SELECT {_ALARMS} FROM "alarm" WHERE {where("site", "stream")} ORDER BY time DESC LIMIT 200'
    return made.with_panel(rows("Alarms", "Newest first, with the sentence that explains each.", found))


def _score() -> timeseries.Panel:
    query = f'SELECT max("score") FROM "verdict" WHERE {where("site", "stream")} GROUP BY {EVERY} fill(none)'
    panel = chart("Score", "How little it was foreseen; from the line on it is anomalous.", Query(query, "score"))
    return limit_line(panel, 1).axis_soft_max(1.2).axis_soft_min(0).span(24).height(6)


def _band() -> timeseries.Panel:
    """Return the chart of a channel, which is repeated for each."""
    means = ", ".join(f'mean("{name}") AS "{name}"' for name in ("value", "expected", "lower", "upper"))
    query = f'SELECT {means} FROM "verdict" WHERE {where("site", "stream", "channel")} GROUP BY {EVERY} fill(none)'
    what = "The value, and the band in which it was expected."
    panel = chart("$channel", what, Query(query, alias="$col")).repeat("channel").repeat_direction("h").span(24)
    looks: dict[str, list[tuple[str, object]]] = {
        "value": [("color", {"mode": "fixed", "fixedColor": BLUE}), ("custom.lineWidth", 2)],
        "expected": [("color", {"mode": "fixed", "fixedColor": GREY}), ("custom.lineStyle", {"fill": "dash"})],
        "lower": [("color", {"mode": "fixed", "fixedColor": GREY}), ("custom.lineWidth", 0)],
        "upper": [
            ("color", {"mode": "fixed", "fixedColor": GREY}),
            ("custom.lineWidth", 0),
            ("custom.fillBelowTo", "lower"),
            ("custom.fillOpacity", 20),
        ],
    }
    for name, look in looks.items():
        panel = panel.override_by_name(name, [DynamicConfigValue(each, value) for each, value in look])
    return panel
