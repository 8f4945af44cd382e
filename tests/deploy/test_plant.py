"""The simulated plant as docker-compose.yml runs it: trained, served over TLS, watched, written to a database."""

import csv
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pytest

from service.simulate.faults import Fault, Kind
from service.simulate.plant import Plant
from tests.deploy.conftest import ROOT, SERVICES, broker_of
from tests.models.data.sources.conftest import Server
from tests.service.relays.test_influx import victoria
from tests.system.conftest import MOSQUITTO, Broker, free_port, wait_until

__all__ = ["victoria"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # which takes long to fill
PATIENCE_S = 300.0
BIN = Path(sys.executable).parent
HOURS, INTERVAL_MS = 6, 10_000
AFTERWARDS_MS = 15 * 60_000  # a bearing cools down, and an alarm closes
JUDGED = {Kind.LEAK, Kind.WEAR, Kind.DRIFT, Kind.SPIKES}  # the others are told as the quality of their channels


class Outcome(NamedTuple):
    """What the service has made of the plant."""

    database: Path
    start: int
    end: int

    def newest(self) -> int:
        """Return the newest time of which the verdicts on all pumps are there."""
        newest = "SELECT min(newest), 0, 0 FROM (SELECT max(time) AS newest FROM verdict GROUP BY stream)"
        return int(self.rows(newest)[0][0] or 0)

    def rows(self, query: str) -> list[tuple[str, int, int]]:
        with closing(sqlite3.connect(self.database)) as db:
            return db.execute(query).fetchall()


def here(text: str, folder: Path, secrets: Path, broker: Broker, server: Server, metrics: int) -> str:
    """Return a text of a container with the places of this machine."""
    places = {
        "/run/secrets/": f"{secrets}/", "/var/lib/foresense/": f"{folder}/", "/bundles": f"{folder}/bundles",
        "http://influxdb:8086": server.url, "mosquitto:8883": f"localhost:{broker.port}", "9464": str(metrics),
    }  # fmt: skip
    for place, mine in places.items():
        text = text.replace(place, mine)
    return text


def run(command: Sequence[str | Path]) -> str:
    """Run a command of the compose file to its end, and return what it printed."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, secrets: Path, victoria: Server) -> Iterator[Outcome]:
    """Run each service of the compose file natively, in the order in which they depend on each other."""
    if MOSQUITTO is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    folder, metrics = tmp_path_factory.mktemp("plant"), free_port()
    run(["sh", ROOT / "deploy/docker/train-plant.sh", folder / "bundles"])
    broker = broker_of(folder, secrets).start()
    config = folder / "foresense.yaml"
    text = (ROOT / "deploy/docker/foresense.yaml").read_text()
    text = text.replace("host: mosquitto", f"host: localhost\n  port: {broker.port}")
    text = text.replace("metrics: {}", f"metrics: {{port: {metrics}}}")
    config.write_text(here(text, folder, secrets, broker, victoria, metrics))
    with (folder / "foresense.log").open("wb") as log:
        service = subprocess.Popen([BIN / "foresense", "serve", config], stdout=log, stderr=log)
    try:
        _, _, *arguments = SERVICES["foresense"]["healthcheck"]["test"]
        check = [sys.executable, *(part.replace("9464", str(metrics)) for part in arguments)]
        wait_until(lambda: subprocess.run(check, capture_output=True, check=False).returncode == 0, "it is healthy", 60)
        plant = [here(each, folder, secrets, broker, victoria, metrics) for each in SERVICES["plant"]["command"]]
        now = int(1000 * time.time())
        run([BIN / "foresense", *plant, f"--for={HOURS}h"])
        outcome = Outcome(folder / "foresense.db", now - HOURS * 3_600_000, now)
        wait_until(lambda: outcome.newest() >= now - 3 * INTERVAL_MS, "all is judged", PATIENCE_S)
        yield outcome
    finally:
        service.terminate()
        service.wait(30)
        broker.stop()


def faults(outcome: Outcome) -> list[tuple[str, Fault]]:
    """Return the faults that began late enough for the streams to be ready and early enough to be seen, by stream."""
    plant = Plant(4, INTERVAL_MS, 1, has_faults=True)
    found = plant.faults_between(outcome.start + 600_000, outcome.end - 60_000)
    return [(plant.names[fault.pump], fault) for fault in found]


ALARMS = """SELECT name, "start", coalesce("end", 9e15) FROM alarm JOIN stream ON stream.id = alarm.stream
    WHERE raised IS NOT NULL"""


def test_every_leak_wear_drift_and_spike_is_told_and_healthy_pumps_are_left_alone(outcome: Outcome) -> None:
    alarms = outcome.rows(ALARMS)
    broken = faults(outcome)
    assert {fault.kind for _, fault in broken} == set(Kind)
    missed = [
        (name, fault.kind, fault.channel)
        for name, fault in broken
        if fault.kind in JUDGED and fault.end < outcome.end
        and not any(stream == name and start < fault.end and end > fault.start for stream, start, end in alarms)
    ]  # fmt: skip
    assert missed == []
    plant = Plant(4, INTERVAL_MS, 1, has_faults=True)
    known = [(plant.names[each.pump], each) for each in plant.faults_between(outcome.start, outcome.end)]
    others = [
        (stream, start)
        for stream, start, _ in alarms
        if not any(stream == name and each.start <= start < each.end + AFTERWARDS_MS for name, each in known)
    ]
    assert len(others) <= 1, others  # the budget is one a week and stream


def test_a_stuck_sensor_and_a_silent_pump_are_flagged_as_what_they_are(outcome: Outcome) -> None:
    rows = list(csv.DictReader(run([BIN / "foresense", "verdicts", outcome.database]).splitlines()))
    for kind, word in ((Kind.STUCK, "stuck"), (Kind.SILENCE, "silent")):
        name, fault = next((name, fault) for name, fault in faults(outcome) if fault.kind == kind)
        flagged = [row["time"] for row in rows if row["stream"] == name and word in row["quality"]]
        times = [1000 * datetime.fromisoformat(text).timestamp() for text in flagged]
        assert any(fault.start <= at < fault.end for at in times), (kind, name)


def test_verdicts_are_in_the_database_of_version_2(outcome: Outcome, victoria: Server) -> None:
    def exported(name: str) -> list[dict[str, str]]:
        victoria.ask("GET", "/internal/force_flush")
        _, lines = victoria.ask("GET", f"/api/v1/export?{urlencode({'match[]': name})}")
        return [json.loads(line)["metric"] for line in lines.splitlines()]

    wait_until(lambda: len(exported("verdict_value")) == 4 * 5, "each channel of each pump is there")
    assert {(each["monitor"], each["bundle"]) for each in exported("verdict_value")} == {("pumps", "pumps/1")}
    wait_until(lambda: bool(exported("foresense_normal")), "its health as well")
    assert {each["service"] for each in exported("foresense_uptime_s")} == {"foresense"}
    assert outcome.rows("SELECT reason, id, received FROM dead_letter") == []
