"""The overview: all streams at a glance, and which of them to look at."""

from grafana_foundation_sdk.builders import bargauge, dashboard, timeseries
from parts import (
    BLUE,
    EVERY,
    GREY,
    ORANGE,
    RED,
    SEVERITIES,
    Query,
    alarms,
    bars,
    board,
    chart,
    colored,
    limit_line,
    number,
    rows,
    tag_values,
    variable,
    where,
)

_WHAT = {
    "normal": ("Normal", "Streams that behave as foreseen.", {}),
    "alarm": ("In alarm", "Streams with an alarm that is open.", {1: RED}),
    "silent": ("Silent", "Streams that have sent nothing for too long.", {1: ORANGE}),
    "learning": ("Learning", "Streams that are too new to be judged.", {}),
}


def fleet() -> dashboard.Dashboard:
    """Return the dashboard."""
    made = board("fleet", "Foresense fleet", "All streams: how many are in which state, and which to look at.")
    made = made.with_variable(variable("site", tag_values("site")))
    made = made.with_variable(variable("monitor", tag_values("monitor", "verdict", "site")))
    made = made.annotation(alarms("site", "monitor"))
    for state, (title, what, steps) in _WHAT.items():
        made = made.with_panel(number(title, _streams(state), what, steps))
    opened = f'SELECT count("open") FROM "alarm" WHERE {where("site", "monitor", open="1")}'
    made = made.with_panel(number("Open alarms", opened, "Of those that began within the time shown.", {1: RED}))
    began = f'SELECT count("open") FROM "alarm" WHERE {where("site", "monitor")}'
    made = made.with_panel(number("Alarms", began, "That began within the time shown."))
    made = made.with_panel(_severities()).with_panel(_scores()).with_panel(_anomalies()).with_panel(_achieved())
    return made.with_panel(
        rows(
            "Streams",
            "Each stream with its highest and its mean score; 1 is the limit.",
            'SELECT max("score") AS "highest score", mean("score") AS "mean score", sum("anomaly") AS "anomalies" '
            f'FROM "verdict" WHERE {where("site", "monitor")} GROUP BY "site", "monitor", "stream"',
        )
    )


def _streams(state: str) -> str:
    """Return the query for how many streams are in a state, of all services and monitors."""
    newest = f'SELECT last("{state}") AS "streams" FROM "foresense" WHERE {where("monitor")}'
    return f'SELECT sum("streams") FROM ({newest} GROUP BY "service", "monitor")'


def _severities() -> timeseries.Panel:
    queries = [
        Query(
            f'SELECT count("score") FROM "alarm" WHERE {where("site", "monitor", severity=repr(severity))} '
            f"GROUP BY {EVERY} fill(none)",
            alias=severity,
        )
        for severity in SEVERITIES
    ]
    return colored(chart("Alarms by severity", "When alarms began.", *queries), SEVERITIES)


def _scores() -> timeseries.Panel:
    query = f'SELECT max("score") FROM "verdict" WHERE {where("site", "monitor")} GROUP BY {EVERY}, "site" fill(none)'
    panel = chart("Highest score by site", "The line is the limit.", Query(query, alias="$tag_site"))
    return limit_line(panel, 1).axis_soft_max(1.2).axis_soft_min(0)


def _anomalies() -> timeseries.Panel:
    query = f'SELECT sum("anomaly") FROM "verdict" WHERE {where("site", "monitor")} GROUP BY {EVERY}, "site" fill(none)'
    what = "Values of slots that were anomalous, a few of which are no alarm yet."
    return colored(chart("Anomalous values by site", what, Query(query, alias="$tag_site")), {"plant": BLUE}).span(16)


def _achieved() -> bargauge.Panel:
    query = f'SELECT last("achieved") FROM "foresense" WHERE {where("monitor")} GROUP BY "monitor"'
    what = "Alarms so far over those that the budget allowed; 1 is as many. Empty until the budget has allowed one."
    steps = {1: ORANGE, 2: RED, 0: GREY}
    return bars("Alarms against budget", what, Query(query, alias="$tag_monitor"), dict(sorted(steps.items())))
