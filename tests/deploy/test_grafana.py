"""The dashboards and alert rules, asked of a real InfluxDB that the real service has written to."""

import json
import operator
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints
from urllib.parse import urlencode

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.alerting import Query, Rule
from grafana_foundation_sdk.models.dashboard import Dashboard

from edge.payloads.rejects import Reason
from tests.conftest import INTERVAL_MS, write_pump
from tests.models.data.sources.conftest import Server, serve
from tests.system.conftest import MOSQUITTO, Broker, Plant, World, wait_until

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
BOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}
PROVISIONING = {path.parent.name: yaml.safe_load(path.read_text()) for path in GRAFANA.glob("provisioning/*/*.yaml")}
RULES = {rule["uid"]: rule for group in PROVISIONING["alerting"]["groups"] for rule in group["rules"]}
HOSTILE = 'south/it\'s (1) [a|b] "$x" ü,='
STREAMS = ("north/pump-1", "north/pump 2", HOSTILE)
CALM, SLOTS = 50, 62
HEALTH_S = 25.0  # within which the service tells of itself twice
ANNOTATION = {"query", "timeEndColumn", "titleColumn", "textColumn", "tagsColumn"}  # which the SDK does not know

Points = list[dict[str, Any]]


class Asked(NamedTuple):
    """A query of a dashboard."""

    board: str
    title: str
    query: str

    def __str__(self) -> str:
        return f"{self.board}-{self.title}"


PANELS = [
    Asked(name, panel["title"], target["query"])
    for name, board in BOARDS.items()
    for panel in board["panels"]
    for target in panel["targets"]
]
VARIABLES = [
    Asked(name, variable["name"], variable["query"])
    for name, board in BOARDS.items()
    for variable in board["templating"]["list"]
    if variable["type"] == "query"
]
ANNOTATIONS = [
    Asked(name, each["name"], each["query"])
    for name, board in BOARDS.items()
    for each in board.get("annotations", {}).get("list", [])
]
NOTHING_WRONG = {"Brokers away"}  # panels that have nothing to show where nothing is


def filled(query: str, chosen: Mapping[str, list[str]], times: tuple[int, int], interval: str = "10s") -> str:
    """Return a query as Grafana sends it: `chosen` are the values of variables; of others it is all."""

    def expression(match: re.Match[str]) -> str:
        values = [re.sub(r"[\\^$*+?.()|[\]{}/]", r"\\\g<0>", value) for value in chosen.get(match[1], [])]
        return ".*" if not values else values[0] if len(values) == 1 else f"({'|'.join(values)})"

    query = query.replace("$timeFilter", f"time >= {times[0]}ms and time <= {times[1]}ms")
    query = query.replace("$__interval", interval)
    query = re.sub(r"\$\{(\w+):regex\}", expression, query)
    assert "${" not in query
    return query


@dataclass
class Told:
    """What the service has written, and where."""

    server: Server
    plant: Plant
    start: int
    firing: dict[str, list[str]] = field(default_factory=dict)  #: while all was well: by rule, whom it tells of

    @property
    def times(self) -> tuple[int, int]:
        return self.start - 1000, int(1000 * time.time()) + 1000

    def ask(self, query: str) -> Points:
        """Return the points that a query returns, their tags among the columns; fail if it is not understood."""
        asked = urlencode({"db": "foresense", "q": query, "epoch": "ms"})
        status, body = self.server.ask("GET", f"/query?{asked}")
        result = json.loads(body)["results"][0]
        assert status == 200, (query, body)
        assert "error" not in result, (query, result)
        return [
            dict(zip(series["columns"], values, strict=True)) | series.get("tags", {})
            for series in result.get("series", [])
            for values in series["values"]
        ]

    def show(self, title: str, board: str, interval: str = "10s", **chosen: list[str]) -> list[Points]:
        """Return what the queries of a panel return."""
        queries = [each.query for each in PANELS if (each.board, each.title) == (board, title)]
        assert queries
        return [self.ask(filled(query, chosen, self.times, interval)) for query in queries]

    def fires(self, uid: str) -> list[str]:
        """Return whom a rule tells of, as Grafana would find out: query, reduce, threshold."""
        rule = RULES[uid]
        query, reduce, threshold = (step["model"] for step in rule["data"])
        now = int(1000 * time.time())
        span = rule["data"][0]["relativeTimeRange"]
        points = self.ask(filled(query["query"], {}, (now - 1000 * span["from"], now - 1000 * span["to"])))
        series: dict[str, list[float]] = {}
        for point in points:
            tags = {name: value for name, value in point.items() if isinstance(value, str)}
            numbers = [value for name, value in point.items() if name != "time" and isinstance(value, int | float)]
            series.setdefault(json.dumps(tags), []).extend(numbers)
        if not series:
            return ["no data"] if rule["noDataState"] == "Alerting" else []
        evaluator = threshold["conditions"][0]["evaluator"]
        (bound,) = evaluator["params"]
        values = {tags: sum(each) if reduce["reducer"] == "sum" else each[-1] for tags, each in series.items()}
        assert reduce["reducer"] in {"sum", "last"}
        beyond = {"gt": operator.gt, "lt": operator.lt}[evaluator["type"]]
        return [tags for tags, value in values.items() if beyond(value, bound)]


def readings(start: int, slots: range) -> list[tuple[str, str]]:
    """Return messages; from CALM on a stream has a spike, another is stuck, and the hostile one is off in the end."""
    chance = random.Random(slots.start)  # noqa: S311

    def level(name: str, slot: int) -> float:
        return 0.5 if name == "north/pump 2" and slot >= CALM else chance.random()

    spikes = {"north/pump-1": {CALM + 1}, HOSTILE: set(range(SLOTS - 4, SLOTS))}
    return [
        (
            f"plant/{name}/value",
            json.dumps({
                "ts": start + slot * INTERVAL_MS,
                "value": 100.0 if slot in spikes.get(name, ()) else level(name, slot),
            }),
        )
        for slot in slots
        for name in STREAMS
    ]  # fmt: skip


def settings(url: str) -> dict[str, Any]:
    return {
        "sinks": {
            "history": {"influx": {"url": url, "database": "foresense"}},
            "elsewhere": {"influx": {"url": "http://127.0.0.1:9", "database": "foresense"}},
        }
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Return what the service says of a calm plant, then of one with alarms and a bad message; one sink is away."""
    if MOSQUITTO is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    folder = tmp_path_factory.mktemp("grafana")
    bundle = write_pump(folder / "bundles", streams=STREAMS)
    start = (int(1000 * time.time()) // INTERVAL_MS - SLOTS) * INTERVAL_MS
    for server in serve(folder, "false"):
        server.query('CREATE DATABASE "foresense"')
        broker = Broker(folder).start()
        world = World(broker)
        watched = {"topic": "plant/{site}/{device}/{channel}", "payload": "json", "time": "ts", "bundle": "pump"}
        plant = Plant(
            folder / "plant", broker, "grafana", bundle.path.parents[1],
            {"main": watched | {"budget": "36 per hour", "site": "hall"}}, settings(server.url),
        )  # fmt: skip
        found = Told(server, plant, start)
        try:
            world.listen(f"{plant.prefix}/#")
            plant.start()
            world.wait_for(plant.availability, b"online")
            play(found, world)
            yield found
        finally:
            plant.kill()
            world.close()
            broker.stop()


def play(told: Told, world: World) -> None:
    """Publish what is calm, see which rules fire, and then what is not."""
    world.publish(readings(told.start, range(CALM)))
    wait_for_health(told, '"normal" = 3')
    wait_for_health(told, '"up" = 0')
    told.firing = {uid: told.fires(uid) for uid in RULES}
    world.publish([*readings(told.start, range(CALM, SLOTS)), ("plant/north/pump-1/value", "{")])
    wait_for_health(told, '"alarm" = 1')
    wait_for_health(told, '"rejects" = 1')
    count = 'SELECT count("anomaly") FROM verdict'
    wait_until(lambda: told.ask(count)[0]["count"] == told.plant.count("verdict"), "all verdicts are written")


def wait_for_health(told: Told, condition: str) -> None:
    query = f"SELECT * FROM foresense WHERE {condition}"  # noqa: S608
    wait_until(lambda: bool(told.ask(query)), condition, HEALTH_S)


def test_the_files_are_those_that_the_scripts_build() -> None:
    done = subprocess.run(
        [sys.executable, GRAFANA / "build.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("asked", PANELS, ids=str)
def test_each_panel_shows_what_the_service_has_written(asked: Asked, told: Told) -> None:
    points = told.ask(filled(asked.query, {}, told.times))
    assert points or asked.title in NOTHING_WRONG or "severity" in asked.query, asked.query
    for point in points:
        numbers = [value for name, value in point.items() if name != "time" and value is not None]
        assert numbers, point
        assert point.get("stream", STREAMS[0]) in STREAMS
        assert point.get("site", "hall") == "hall"
        assert point.get("monitor", "main") == "main"
        assert point.get("service", "grafana") == "grafana"


@pytest.mark.parametrize("asked", VARIABLES, ids=str)
def test_each_variable_offers_what_there_is(asked: Asked, told: Told) -> None:
    expected = {
        "site": {"hall"},
        "monitor": {"main"},
        "stream": set(STREAMS),
        "channel": {"value"},
        "service": {"grafana"},
    }
    points = told.ask(filled(asked.query, {"site": ["hall"], "stream": [HOSTILE]}, told.times))
    assert {point["value"] for point in points} == expected[asked.title]


@pytest.mark.parametrize("asked", ANNOTATIONS, ids=str)
def test_annotations_are_the_alarms_with_their_ends(asked: Asked, told: Told) -> None:
    points = told.ask(filled(asked.query, {"stream": [HOSTILE]} if asked.board == "stream" else {}, told.times))
    found = told.plant.query(
        'SELECT "start", "end", severity, explanation, name FROM alarm JOIN stream ON stream.id = alarm.stream '
        "WHERE raised IS NOT NULL"
    )
    wanted = [row for row in found if asked.board != "stream" or row[4] == HOSTILE]
    got = [tuple(point[name] for name in ("time", "end", "severity", "explanation", "stream")) for point in points]
    assert sorted(got, key=str) == sorted(wanted, key=str)
    assert wanted


def test_a_channel_is_shown_with_its_band_slot_by_slot(told: Told) -> None:
    for name in STREAMS:
        (points,) = told.show("$channel", "stream", site=["hall"], stream=[name], channel=["value"])
        got = [tuple(point[each] for each in ("time", "value", "expected", "lower", "upper")) for point in points]
        query = (
            "SELECT time, value, expected, lower, upper FROM verdict JOIN stream ON stream.id = stream WHERE name = ?"
        )
        assert got == told.plant.query(f"{query} ORDER BY time", name)
        assert len(got) >= SLOTS - 1


def test_a_stuck_sensor_is_shown_as_one(told: Told) -> None:
    (points,) = told.show("Data quality", "stream", stream=["north/pump 2"])
    assert {(point["channel"], point["quality"], point["value"]) for point in points} == {("value", "stuck", 0.5)}
    query = "SELECT count(*) FROM verdict JOIN stream ON stream.id = stream WHERE name = 'north/pump 2' AND quality = 2"
    assert [(len(points),)] == told.plant.query(query)


def test_the_score_is_that_of_the_verdicts(told: Told) -> None:
    (points,) = told.show("Score", "stream", stream=[HOSTILE])
    query = "SELECT time, score FROM verdict JOIN stream ON stream.id = stream WHERE name = ? AND score IS NOT NULL"
    assert [(point["time"], point["max"]) for point in points] == told.plant.query(f"{query} ORDER BY time", HOSTILE)


def test_the_table_of_alarms_has_all_of_them_the_newest_first(told: Told) -> None:
    (points,) = told.show("Alarms", "alarms")
    query = 'SELECT alarm.id, "end", name FROM alarm JOIN stream ON stream.id = alarm.stream ORDER BY "start" DESC'
    assert [(point["id"], point["end"], point["stream"]) for point in points] == told.plant.query(query)
    assert {point["state"] for point in points} == {"opened", "closed"}


def test_the_overview_counts_streams_and_open_alarms(told: Told) -> None:
    ((alarm,),) = told.show("In alarm", "fleet")
    ((normal,),) = told.show("Normal", "fleet")
    assert (alarm["sum"], normal["sum"]) == (1, 2)
    ((opened,),) = told.show("Open alarms", "fleet")
    assert opened["count"] == told.plant.query('SELECT count(*) FROM alarm WHERE "end" IS NULL')[0][0]
    (streams,) = told.show("Streams", "fleet")
    assert {point["stream"] for point in streams} == set(STREAMS)
    severities = [points for points in told.show("Alarms by severity", "fleet", "1d") if points]
    assert sum(point["count"] for points in severities for point in points) == told.plant.count("alarm")


def test_the_health_of_the_service_is_shown(told: Told) -> None:
    (rejects,) = told.show("Rejects", "service", "1s")
    assert {point["reason"] for point in rejects if point["non_negative_difference"]} == {str(Reason.SYNTAX)}
    (outbox,) = told.show("Outbox", "service", "1d")
    assert {point["sink"] for point in outbox} == {"mqtt", "history", "elsewhere"}
    (sinks,) = told.show("Sinks", "service")
    assert {point["sink"]: point["last"] for point in sinks} == {"history": 1, "elsewhere": 0}
    ((rates, *_),) = [told.show("Rates", "service", "1h")]
    assert max(point["verdicts"] for point in rates) > 0


def test_no_rule_fires_while_all_is_well_but_that_of_the_sink_which_is_away(told: Told) -> None:
    firing = {uid: whom for uid, whom in told.firing.items() if whom}
    assert list(firing) == ["foresense-sink"]
    assert json.loads(firing["foresense-sink"][0]) == {"service": "grafana", "sink": "elsewhere"}


def test_rules_fire_for_what_they_are_for(told: Told) -> None:
    (alarm,) = told.fires("foresense-alarm")
    assert json.loads(alarm) == {"site": "hall", "stream": HOSTILE}
    (rejects,) = told.fires("foresense-rejects")
    assert json.loads(rejects) == {"service": "grafana", "reason": "syntax"}
    assert told.fires("foresense-gone") == []


def test_a_service_that_has_never_told_anything_is_gone(told: Told) -> None:
    told.server.query('CREATE DATABASE "empty"')
    query = filled(RULES["foresense-gone"]["data"][0]["model"]["query"], {}, told.times)
    _, body = told.server.ask("GET", f"/query?{urlencode({'db': 'empty', 'q': query})}")
    assert "series" not in json.loads(body)["results"][0]
    assert RULES["foresense-gone"]["noDataState"] == "Alerting"


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_has_nothing_that_grafanas_model_does_not_know(name: str) -> None:
    board = BOARDS[name]
    again = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    for before, after in zip(
        board.get("annotations", {}).get("list", []), again.get("annotations", {}).get("list", []), strict=True
    ):
        assert before.items() >= after.items()
        assert before.keys() - after.keys() == ANNOTATION
        after.update(before)
    assert again == board


def test_dashboards_lead_to_each_other() -> None:
    uids = {board["uid"] for board in BOARDS.values()}
    assert len(uids) == 4
    for board in BOARDS.values():
        assert [(link["tags"], link["includeVars"], link["keepTime"]) for link in board["links"]] == [
            (["foresense"], True, True)
        ]
        assert board["tags"] == ["foresense"]
        assert set(re.findall(r"/d/([\w-]+)\?", json.dumps(board))) <= uids


@pytest.mark.parametrize("uid", RULES)
def test_a_rule_has_what_grafanas_model_knows(uid: str) -> None:
    rule = RULES[uid]
    again = json.loads(json.dumps(Rule.from_json(rule), cls=JSONEncoder))
    assert again.items() >= {name: value for name, value in rule.items() if name != "data"}.items()
    assert [json.loads(json.dumps(Query.from_json(step), cls=JSONEncoder)) for step in rule["data"]] == rule["data"]
    hints = get_type_hints(Rule)
    assert rule["noDataState"] in get_args(hints["no_data_state"])
    assert rule["execErrState"] in get_args(hints["exec_err_state"])
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert rule["condition"] in {step["refId"] for step in rule["data"]}


def test_everything_asks_the_source_that_is_provisioned() -> None:
    (source,) = PROVISIONING["datasources"]["datasources"]
    asked = set(re.findall(r'"uid": "([\w-]+)"', json.dumps([BOARDS, RULES]))) - {b["uid"] for b in BOARDS.values()}
    assert asked - set(RULES) == {source["uid"], "__expr__"}
    assert source["type"] == "influxdb"
    assert source["jsonData"]["dbName"] == "foresense"
