"""The service itself: whether it keeps up, and what is in its way."""

from grafana_foundation_sdk.builders import bargauge, dashboard, timeseries
from grafana_foundation_sdk.models.common import GraphDrawStyle
from parts import BLUE, EVERY, ORANGE, RED, Query, bars, board, chart, colored, number, tag_values, variable, where

_FROM = '"foresense"'
_HERE = where("service")


def health() -> dashboard.Dashboard:
    """Return the dashboard."""
    made = board("service", "Foresense service", "How the service itself is doing: rates, lag, queue, rejects, sinks.")
    made = made.with_variable(variable("service", tag_values("service", "foresense")))
    for title, field, what, steps in (
        ("Queue", "queue", "Messages that wait for the writer.", {1000: ORANGE, 10_000: RED}),
        ("In flight", "in_flight", "Messages taken over and not yet committed.", {}),
        ("Rejected", "rejected", "Messages that could not be read, since the start.", {1: ORANGE}),
        ("Retries", "retries", "Transactions that the database refused, since the start.", {1: ORANGE}),
    ):
        made = made.with_panel(number(title, _sum(field), what, steps))
    uptime = number("Up since", _sum("uptime_s", "min"), "How long the service runs; the newest, if there are several.")
    made = made.with_panel(uptime.unit("s"))
    lost = _down("connected", "broker")
    made = made.with_panel(number("Brokers away", lost, "MQTT brokers that are not connected.", {1: RED}))
    return (
        made.with_panel(_rates())
        .with_panel(_lag())
        .with_panel(_states())
        .with_panel(_rejects())
        .with_panel(_outbox())
        .with_panel(_dropped())
        .with_panel(_sinks())
        .with_panel(_achieved())
    )


def _sum(field: str, by: str = "sum") -> str:
    newest = f'SELECT last("{field}") AS "newest" FROM {_FROM} WHERE {_HERE} GROUP BY "service"'
    return f'SELECT {by}("newest") FROM ({newest})'


def _down(field: str, tag: str) -> str:
    """Return the query for how many of a kind are not up."""
    newest = f'SELECT last("{field}") AS "up" FROM {_FROM} WHERE {_HERE} GROUP BY "service", "{tag}"'
    return f'SELECT count("up") FROM ({newest}) WHERE "up" = 0'


def _each(field: str, tag: str, by: str = "last") -> Query:
    query = f'SELECT {by}("{field}") FROM {_FROM} WHERE {_HERE} GROUP BY {EVERY}, "{tag}" fill(none)'
    return Query(query, alias=f"$tag_{tag}")


def _more(field: str, tag: str) -> Query:
    """Return the query for by how much a total has grown."""
    grown = f'non_negative_difference(last("{field}"))'
    query = f'SELECT {grown} FROM {_FROM} WHERE {_HERE} GROUP BY {EVERY}, "service", "{tag}" fill(none)'
    return Query(query, alias=f"$tag_{tag}")


def _rates() -> timeseries.Panel:
    fields = ", ".join(f'mean("{name}_per_s") AS "{name}"' for name in ("received", "readings", "verdicts"))
    query = f"SELECT {fields} FROM {_FROM} WHERE {_HERE} GROUP BY {EVERY} fill(none)"
    return chart("Rates", "Messages, readings and verdicts a second.", Query(query, alias="$col"), unit="cps")


def _lag() -> timeseries.Panel:
    what = "Age of the newest reading of each monitor, by its own time."
    return chart("Lag", what, _each("lag_s", "monitor", "max"), unit="s")


def _states() -> timeseries.Panel:
    names = ("normal", "alarm", "silent", "learning")
    fields = ", ".join(f'mean("{name}") AS "{name}"' for name in names)
    query = f'SELECT {fields} FROM {_FROM} WHERE {_HERE} GROUP BY {EVERY}, "monitor" fill(none)'
    panel = chart("Streams by state", "Of each monitor.", Query(query, alias="$tag_monitor $col"))
    return colored(panel, {"normal": BLUE, "alarm": RED})


def _rejects() -> timeseries.Panel:
    what = "Messages that could not be read, by reason; `foresense dead-letters` shows them."
    return chart("Rejects", what, _more("rejects", "reason")).draw_style(GraphDrawStyle.BARS)


def _outbox() -> timeseries.Panel:
    return chart("Outbox", "Rows that wait for each sink; they grow while it is away.", _each("outbox", "sink", "max"))


def _dropped() -> timeseries.Panel:
    what = "Verdicts for which no room was left, and what a sink would not take."
    dropped, refused = _more("dropped", "sink"), _more("refused", "sink")
    dropped.alias, refused.alias = "$tag_sink dropped", "$tag_sink refused"
    return chart("Lost to sinks", what, dropped, refused).draw_style(GraphDrawStyle.BARS)


def _sinks() -> bargauge.Panel:
    query = f'SELECT last("up") FROM {_FROM} WHERE {_HERE} GROUP BY "sink"'
    what = "1 while what is sent is delivered; MQTT brokers are not among them."
    return bars("Sinks", what, Query(query, alias="$tag_sink"), {0: RED, 1: BLUE}).max(1)


def _achieved() -> timeseries.Panel:
    what = "Alarms so far over those that the budget allowed; 1 is as many."
    return chart("Alarms against budget", what, _each("achieved", "monitor")).span(16)
