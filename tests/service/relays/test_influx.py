"""The InfluxDB sink against real servers: InfluxDB 1.x by /write, VictoriaMetrics by /api/v2/write."""

import json
import math
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from edge.errors import ConfigError
from edge.messages.alarm import Alarm
from service.alarms.messages import Incident
from service.pipeline.monitor import Monitor
from service.relays.influx import InfluxSink
from service.relays.outbox import OutboxRow
from service.relays.sinks import InfluxSettings, SinkSettings
from tests.conftest import START_MS
from tests.models.data.sources.conftest import Server, free_port, guarded_influx, influx
from tests.service.conftest import MakeMonitor
from tests.service.relays.conftest import Receiver, Reply, verdicts_of
from tests.system.conftest import PATIENCE_S, wait_until

__all__ = ["guarded_influx", "influx"]
VICTORIA = shutil.which("victoria-metrics")
NAMES = ["north/pump 1", "a,b=c", "back\\slash", "ends\\", 'quo"ted', "Pumpe ü", "a\\,b"]
READ_BACK = ["north/pump 1", "a,b=c", "back\\slash", "ends/", 'quo"ted', "Pumpe ü", "a/,b"]


def sink(timeout_s: float = 10, **settings: Any) -> InfluxSink:
    influx = InfluxSettings(**settings)
    return InfluxSink("history", influx, SinkSettings(influx=influx, timeout_s=timeout_s))


def rows(*bodies: bytes) -> list[OutboxRow]:
    return [OutboxRow(i, "", body, "verdict") for i, body in enumerate(bodies)]


def alarm(**changed: Any) -> Alarm:
    known = Alarm("id", 1, "pump/1", "flow", START_MS, None, 2.5, 9.25, 1, 0, math.nan, 4.0, START_MS + 10, "flow")
    return known._replace(explanation='flow "9", far\\ from\n1', raised=START_MS, **changed)


def named(make_monitor: MakeMonitor, site: str) -> Monitor:
    monitor = make_monitor(site=site)
    for name in NAMES:
        monitor.row(name)
    return monitor


def verdict_lines(target: InfluxSink, monitor: Monitor) -> Sequence[bytes]:
    count = len(NAMES)
    verdicts = verdicts_of(
        [START_MS + i for i in range(count)],
        stream=np.arange(count, dtype=np.int32),
        status=np.array([2, *([1] * (count - 1))], np.uint8),
        value=np.array([[math.nan], *([i + 0.1] for i in range(1, count))]),
    )
    return target.verdicts(monitor, verdicts)


def selected(server: Server, query: str, **credentials: str) -> list[dict[str, Any]]:
    status, body = server.ask("GET", f"/query?{urlencode({'db': 'plant', 'q': query, 'epoch': 'ms'} | credentials)}")
    assert status == 200, body
    series = json.loads(body)["results"][0].get("series", [])
    return [dict(zip(each["columns"], values, strict=True)) for each in series for values in each["values"]]


def test_verdicts_of_streams_of_any_name_are_read_back_from_influxdb_1(
    influx: Server, make_monitor: MakeMonitor
) -> None:
    target = sink(url=influx.url, database="plant")
    monitor = named(make_monitor, "site-verdicts")
    body = b"\n".join(verdict_lines(target, monitor))
    assert target.send(rows(body)).delivered
    assert target.send(rows(body)).delivered, "sent again"

    points = selected(influx, "SELECT * FROM verdict WHERE site = 'site-verdicts'")
    assert [point["stream"] for point in points] == READ_BACK
    assert points[1] == {
        "time": START_MS + 1,
        "bundle": "pump/1",
        "channel": "value",
        "monitor": "main",
        "site": "site-verdicts",
        "stream": "a,b=c",
        "value": 1.1,
        "expected": 1.25,
        "lower": -0.5,
        "upper": 3.0,
        "score": 0.5,
        "anomaly": 0,
    }
    assert (points[0]["value"], points[0]["anomaly"]) == (None, 1)
    target.close()


def test_an_alarm_and_its_end_are_one_point(influx: Server, make_monitor: MakeMonitor) -> None:
    target = sink(url=influx.url, database="plant")
    monitor = make_monitor(site="site-alarms")
    for each in (alarm(), alarm(end=START_MS + 500, incident="storm", severity="critical")):
        body = target.alarm(monitor, "north/a", each, False)
        assert body is not None
        assert target.send([OutboxRow(1, "north/a", body, "alarm")]).delivered

    (point,) = selected(influx, "SELECT * FROM alarm WHERE site = 'site-alarms'")
    assert point["time"] == START_MS
    assert (point["id"], point["state"], point["open"], point["end"]) == ("id", "closed", 0, START_MS + 500)
    assert (point["severity"], point["incident"], point["score"]) == ("critical", "storm", 2.5)
    assert point["explanation"] == 'flow "9", far\\ from 1'
    assert "upper" not in point
    target.close()


def test_only_the_right_password_opens_a_guarded_server(guarded_influx: Server, tmp_path: Path) -> None:
    secret = tmp_path / "secret"

    def send(word: str) -> str:
        secret.write_text(f"{word}\n")
        target = sink(url=guarded_influx.url, database="plant", user="reader", password_file=secret)
        answer = target.send(rows(b"guarded x=1 1"))
        target.close()
        return str(answer) if not answer.delivered else "delivered"

    assert send("wrong") == "401 authorization failed (are user, password or token right?)"
    assert send("right") == "delivered"
    assert selected(guarded_influx, "SELECT x FROM guarded", u="reader", p="right") == [{"time": 1, "x": 1}]
    target = sink(url=guarded_influx.url, database="plant")
    assert target.send(rows(b"guarded x=1 1")).status == 401
    target.close()


def test_what_is_wrong_is_told_in_the_servers_words(influx: Server) -> None:
    target = sink(url=influx.url, database="planet")
    assert str(target.send(rows(b"x x=1 1"))) == '404 database not found: "planet" (does it exist?)'
    target.close()
    target = sink(url=influx.url, database="plant")
    answer = target.send(rows(b"good x=1 1\nbad x= 1"))
    assert answer.refused
    assert str(answer).startswith("400 partial write: unable to parse 'bad x= 1': missing field value")
    assert target.send(rows(b"good x=1 1", b"good y=2 1")).delivered
    assert selected(influx, "SELECT * FROM good") == [{"time": 1, "x": 1, "y": 2}]
    target.close()


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a VictoriaMetrics of our own."""
    if VICTORIA is None:
        pytest.skip("apt-get install victoria-metrics")
    folder, server = tmp_path_factory.mktemp("victoria"), Server(free_port())
    command = [VICTORIA, f"-httpListenAddr=127.0.0.1:{server.port}", f"-storageDataPath={folder}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-retentionPeriod=100y", "-memory.allowedBytes=64MB"], stdout=log, stderr=log
        )

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        try:
            return server.ask("GET", "/health")[0] == 200
        except OSError:
            return False

    try:
        wait_until(answers, "victoria-metrics answers")
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def test_verdicts_and_alarms_are_read_back_by_the_api_of_version_2(
    victoria: Server, make_monitor: MakeMonitor, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    target = sink(url=victoria.url, bucket="plant", org="plant", token_file=tmp_path / "token")
    monitor = named(make_monitor, "site")
    assert target.send(rows(b"\n".join(verdict_lines(target, monitor)))).delivered
    body = target.alarm(monitor, "north/a", alarm(), True)
    assert body is not None
    assert target.send(rows(body)).delivered
    target.close()

    def exported(name: str) -> list[dict[str, Any]]:
        victoria.ask("GET", "/internal/force_flush")
        _, lines = victoria.ask("GET", f"/api/v1/export?{urlencode({'match[]': name})}")
        return [json.loads(line) for line in lines.splitlines()]

    wait_until(lambda: len(exported("verdict_anomaly")) == len(NAMES), "all points are there")
    values = {each["metric"]["stream"]: (each["values"], each["timestamps"]) for each in exported("verdict_value")}
    assert values == {name: ([i + 0.1], [START_MS + i]) for i, name in enumerate(READ_BACK) if i}
    assert sorted(each["metric"]["stream"] for each in exported("verdict_anomaly")) == sorted(READ_BACK)
    (open_alarm,) = exported("alarm_open")
    assert (open_alarm["values"], open_alarm["timestamps"]) == ([1], [START_MS])


def test_the_request_is_that_of_version_2_with_the_token(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    target = sink(url=f"{receiver.url}/proxy", bucket="b 1", org="o", token_file=tmp_path / "token")
    assert target.send(rows(b"x x=1 1", b"x x=2 2")).delivered
    (request,) = receiver.heard
    assert request.path == "/proxy/api/v2/write?org=o&bucket=b+1&precision=ms"
    assert request.headers["authorization"] == "Token t0ken"
    assert request.body == b"x x=1 1\nx x=2 2"
    assert "t0ken" not in f"{target} {target!r} {vars(target)!r}"
    target.close()


def test_it_does_not_try_again_by_itself_nor_follow_a_redirection(receiver: Receiver) -> None:
    target = sink(url=receiver.url, bucket="b", timeout_s=0.3)
    receiver.script(
        Reply(503, {"Retry-After": "5"}, b'{"code": "unavailable", "message": "busy"}'),
        Reply(302, {"Location": "/elsewhere"}),
        Reply(after_s=1),
        Reply(500, body=b"\xff"),
    )
    answer = target.send(rows(b"x x=1 1"))
    assert (str(answer), answer.retry_after_s) == ("503 busy", 5)
    assert target.send(rows(b"x x=1 1")).status == 302
    assert str(target.send(rows(b"x x=1 1"))) == "no answer within the time"
    assert not target.send(rows(b"x x=1 1")).delivered
    assert len(receiver.heard) == 4
    target.close()
    target = sink(url="http://127.0.0.1:9", bucket="b")
    assert str(target.send(rows(b"x x=1 1"))) == "no connection: [Errno 111] Connection refused"
    target.close()


def test_a_server_whose_certificate_nobody_vouches_for_is_told_nothing(receiver: Receiver) -> None:
    target = sink(url=receiver.url.replace("http:", "https:"), bucket="b")
    assert "SSL" in str(target.send(rows(b"x x=1 1")))
    assert receiver.heard == []
    target.close()


def test_verdicts_are_written_only_where_they_are_wanted_and_incidents_never(make_monitor: MakeMonitor) -> None:
    monitor = named(make_monitor, "site")
    target = sink(url="http://localhost", bucket="b", verdicts=False)
    assert list(verdict_lines(target, monitor)) == []
    assert target.incident(Incident("i", "site", 1, None, 1, 3, 0), "opened", 3, []) is None
    assert str(target) == "InfluxDB at http://localhost, bucket b: alarms"
    target.close()


def test_a_row_is_refused_line_by_line() -> None:
    target = sink(url="http://localhost", database="d")
    row = OutboxRow(7, "", b"a\nb", "verdict")
    assert target.split(row) == [row._replace(body=b"a"), row._replace(body=b"b")]
    assert str(target) == "InfluxDB at http://localhost, database d: verdicts and alarms"
    target.close()


def test_a_secret_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none: expected a readable token file, got: No such file"):
        sink(url="http://localhost", bucket="b", token_file=tmp_path / "none")
