import csv
import itertools
import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import main
from service.simulate.faults import Kind
from service.simulate.pumps import CHANNELS
from tests.system.conftest import Broker, World, free_port, wait_until


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["simulate", *arguments])
    return result.exit_code, result.output


def test_a_history_is_written_to_train_on_and_its_faults_are_told(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    result = CliRunner().invoke(
        main, ["simulate", "--csv", str(path), "--since", "6h", "--pumps", "2", "--interval", "1min", "--json"]
    )
    assert result.exit_code == 0
    faults = [json.loads(line) for line in result.stdout.splitlines()]
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["time", "pump", *CHANNELS]
    assert result.stderr == f"{len(rows)} rows of 2 pumps in {path}\n"
    times = [datetime.fromisoformat(row[0]) for row in rows if row[1] == "north/pump-1"]
    assert {(after - before).total_seconds() for before, after in itertools.pairwise(times)} >= {60}
    assert {fault["kind"] for fault in faults} == {str(kind) for kind in Kind}
    (silence, *_) = [fault for fault in faults if fault["kind"] == "silence" and fault["end"] < rows[-1][0]]
    silent = [row for row in rows if row[1] == silence["stream"] and silence["start"] <= row[0] < silence["end"]]
    assert silent == []


def test_without_faults_no_row_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    code, said = run("--csv", str(path), "--since", "2h", "--for", "1h", "--no-faults", "--pumps", "1")
    assert (code, said) == (0, f"360 rows of 1 pumps in {path}\n")


def test_it_sends_what_has_passed_and_tells_what_is_broken(broker: Broker, world: World) -> None:
    world.listen("plant/#")
    world.listen("simulated/#")
    code, said = run(
        "--broker", f"mqtt://127.0.0.1:{broker.port}", "--since", "90min", "--for", "90min", "--pumps", "2"
    )
    assert code == 0
    wait_until(lambda: f"{len(world.heard)} messages sent" in said, "all has come")
    values = [(topic, json.loads(payload)) for topic, payload in world.heard if topic.startswith("plant/")]
    assert {topic.rpartition("/")[2] for topic, _ in values} == set(CHANNELS)
    flow = [value["time"] for topic, value in values if topic == "plant/north/pump-1/flow"]
    assert flow == sorted(flow)
    assert {after - before for before, after in itertools.pairwise(flow)} >= {10_000}
    faults = [(topic, payload) for topic, payload in world.heard if topic.startswith("simulated/")]
    told = json.loads(next(payload for _, payload in faults if payload))
    assert told.keys() == {"stream", "kind", "channel", "start", "end"}
    assert faults[0][0].startswith("simulated/")
    assert any(topic == f"simulated/{told['stream']}/fault" for topic, _ in faults)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--broker", "http://plant"], "got 'http://plant': expected one of mqtt, mqtts, ws, wss, got http"),
        (["--broker", "mqtt://"], "got 'mqtt://': String should have at least 1 character"),
        (["--broker", "mqtt://a:99999"], "got 'mqtt://a:99999': Port out of range"),
        (
            ["--broker", "mqtt://a", "--ca-file", "ca"],
            "--broker: expected mqtts:// or wss:// beside --ca-file, got 'mqtt://a'",
        ),
        (
            ["--broker", "mqtts://a", "--key-file", "k"],
            "got 'mqtts://a': expected certificate_file beside key_file, got none",
        ),
        (["--since", "long"], "--since: expected a duration such as '10s', '5min' or '1h', got 'long'"),
        (["--csv", "none/here.csv"], "none/here.csv: expected a file that can be written, got: No such file or"),
    ],
)
def test_what_cannot_be_done_is_told(arguments: list[str], message: str) -> None:
    code, said = run(*arguments)
    assert code == 2
    assert said.startswith("foresense: ")
    assert message in said


def test_a_broker_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.simulate.feed._PATIENCE_S", 1.0)
    port = free_port()
    code, said = run("--broker", f"mqtt://127.0.0.1:{port}", "--for", "1min")
    assert code == 2
    assert f"--broker: expected one at mqtt://127.0.0.1:{port} that accepts us, got: " in said
    assert said.endswith("nothing listens there\n")
