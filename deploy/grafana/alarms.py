"""All alarms, to be looked through."""

from grafana_foundation_sdk.builders import bargauge, dashboard, timeseries
from grafana_foundation_sdk.models.dashboard import VariableOption
from parts import EVERY, ORANGE, RED, SEVERITIES, Query, bars, board, chart, number, rows, tag_values, variable, where

_COLUMNS = (
    '"state", "severity", "site", "monitor", "stream", "channel", "score", "peak_score", "value", "expected", "lower", '
    '"upper", "end", "explanation", "incident", "bundle", "id"'
)
_VARIABLES = ("site", "monitor", "severity")


def alarm_list() -> dashboard.Dashboard:
    """Return the dashboard."""
    made = board("alarms", "Foresense alarms", "All alarms: how many, of which streams, and why.")
    made = made.with_variable(variable("site", tag_values("site", "alarm")))
    made = made.with_variable(variable("monitor", tag_values("monitor", "alarm", "site")))
    every = VariableOption(text="All", value="$__all", selected=True)
    severity = dashboard.CustomVariable("severity").label("severity").values(",".join(SEVERITIES)).multi(True)
    made = made.with_variable(severity.include_all(True).all_value(".*").current(every))
    for name, color in SEVERITIES.items():
        query = f'SELECT count("score") FROM "alarm" WHERE {where("site", "monitor", severity=repr(name))}'
        made = made.with_panel(number(name.capitalize(), query, "Alarms that began within the time shown.", {1: color}))
    opened = f'SELECT count("open") FROM "alarm" WHERE {where(*_VARIABLES, open="1")}'
    made = made.with_panel(number("Open", opened, "Of these, not over yet.", {1: RED}))
    return (
        made.with_panel(_over_time())
        .with_panel(_most())
        .with_panel(
            rows(
                "Alarms",
                "Newest first, with the sentence that explains each.",
                f'SELECT {_COLUMNS} FROM "alarm" WHERE {where(*_VARIABLES)} ORDER BY time DESC LIMIT 500',
            )
        )
    )


def _over_time() -> timeseries.Panel:
    query = f'SELECT count("score") FROM "alarm" WHERE {where(*_VARIABLES)} GROUP BY {EVERY}, "monitor" fill(none)'
    return chart("Alarms by monitor", "When they began.", Query(query, alias="$tag_monitor")).span(16)


def _most() -> bargauge.Panel:
    query = f'SELECT count("score") FROM "alarm" WHERE {where(*_VARIABLES)} GROUP BY "stream" SLIMIT 50'
    what = "How many alarms each stream had; at most 50 streams."
    return bars("Alarms by stream", what, Query(query, alias="$tag_stream"), {5: ORANGE, 20: RED})
