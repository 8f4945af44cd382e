"""The alert rules: what a person should be told of, and nothing that a healthy plant does."""

from typing import Any, NamedTuple

_SOURCE, _EXPRESSION = "foresense", "__expr__"


class Rule(NamedTuple):
    """Alerts when a number of a query is beyond a bound for so long."""

    uid: str
    title: str
    query: str
    minutes: int  #: that the query looks back
    beyond: tuple[str, float]  #: "gt" or "lt", and the bound
    lasts: str  #: for so long
    severity: str
    summary: str
    without_data: str = "OK"
    reducer: str = "last"


_NEWEST = 'SELECT last("{}") FROM "foresense" WHERE $timeFilter GROUP BY {}'
RULES = (
    Rule(
        "alarm", "A severe alarm is open",
        'SELECT count("open") FROM "alarm" WHERE $timeFilter AND "open" = 1 AND "severity" =~ /^(major|critical)$/ '
        'GROUP BY "site", "stream"',
        24 * 60, ("gt", 0), "0s", "critical", "{{ $labels.stream }} at {{ $labels.site }} behaves as it never did.",
    ),
    Rule(
        "silent", "Streams are silent", _NEWEST.format("silent", '"service", "monitor"'),
        5, ("gt", 0), "5m", "warning", "{{ $values.B.Value }} streams of {{ $labels.monitor }} send nothing.",
    ),
    Rule(
        "budget", "Far more alarms than the budget allows", _NEWEST.format("achieved", '"service", "monitor"'),
        5, ("gt", 5), "1h", "warning",
        "{{ $labels.monitor }} has raised {{ $values.B.Value }} times as many alarms as its budget allows: "
        "something is wrong, or its bundle does not fit any more.",
    ),
    Rule(
        "gone", "The service tells nothing", 'SELECT count("uptime_s") FROM "foresense" WHERE $timeFilter',
        5, ("lt", 1), "2m", "critical", "No word of the service for five minutes: does it run, does the database?",
        "Alerting",
    ),
    Rule(
        "broker", "A broker is away", _NEWEST.format("connected", '"service", "broker"'),
        5, ("lt", 1), "2m", "critical", "{{ $labels.service }} is not connected to the broker {{ $labels.broker }}.",
    ),
    Rule(
        "sink", "A sink is away", _NEWEST.format("up", '"service", "sink"'),
        5, ("lt", 1), "5m", "warning", "Nothing is delivered to {{ $labels.sink }}; what it missed waits.",
    ),
    Rule(
        "queue", "The service does not keep up", _NEWEST.format("queue", '"service"'),
        5, ("gt", 10_000), "5m", "warning", "{{ $values.B.Value }} messages wait for {{ $labels.service }}.",
    ),
    Rule(
        "rejects", "Messages cannot be read",
        'SELECT non_negative_difference("rejects") FROM "foresense" WHERE $timeFilter GROUP BY "service", "reason"',
        10, ("gt", 0), "5m", "warning",
        "{{ $values.B.Value }} messages were set aside in ten minutes: {{ $labels.reason }}. "
        "`foresense dead-letters` shows them.",
        reducer="sum",
    ),
)  # fmt: skip


def alert_rules() -> dict[str, Any]:
    """Return the rules as Grafana's provisioning reads them."""
    rules = [_provisioned(rule) for rule in RULES]
    group = {"orgId": 1, "name": "foresense", "folder": "Foresense", "interval": "1m", "rules": rules}
    return {"apiVersion": 1, "groups": [group]}


def _provisioned(rule: Rule) -> dict[str, Any]:
    return {
        "uid": f"foresense-{rule.uid}",
        "title": rule.title,
        "condition": "C",
        "data": [
            _step("A", _SOURCE, {"query": rule.query, "rawQuery": True, "resultFormat": "time_series"}, rule.minutes),
            _step("B", _EXPRESSION, {"type": "reduce", "expression": "A", "reducer": rule.reducer}, 0),
            _step("C", _EXPRESSION, {"type": "threshold", "expression": "B", "conditions": [_bound(rule)]}, 0),
        ],
        "for": rule.lasts,
        "noDataState": rule.without_data,
        "execErrState": "Error",
        "labels": {"severity": rule.severity},
        "annotations": {"summary": rule.summary},
        "isPaused": False,
    }


def _bound(rule: Rule) -> dict[str, Any]:
    kind, bound = rule.beyond
    return {"type": "query", "evaluator": {"type": kind, "params": [bound]}}


def _step(letter: str, source: str, model: dict[str, Any], minutes: int) -> dict[str, Any]:
    return {
        "refId": letter,
        "relativeTimeRange": {"from": 60 * minutes, "to": 0},
        "datasourceUid": source,
        "model": {"refId": letter, "datasource": {"uid": source}, **model},
    }
