"""Recording with the real command from a real broker, and training's way in from what was recorded."""

import gzip
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from models.data.recordings import Data, read_recordings
from models.data.sources.files import Files
from models.data.sources.layout import Layout
from service.cli import main
from tests.system.conftest import PATIENCE_S, Broker, World, wait_until

FORESENSE = str(Path(sys.executable).with_name("foresense"))


@pytest.fixture
def config(tmp_path: Path, broker: Broker) -> Path:
    """Return a configuration whose bundles do not exist yet."""
    path = tmp_path / "foresense.yaml"
    monitors = {
        "pumps": {"topic": "traffic/pump/{device}/{channel}", "bundle": "pump"},
        "fans": {"topic": "traffic/fan/{device}", "payload": "json", "time": "ts", "bundle": "fan"},
    }
    path.write_text(yaml.safe_dump({"broker": {"port": broker.port, "client_id": "traffic"}, "monitors": monitors}))
    return path


def start(config: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    command = [FORESENSE, "record", str(config), "--out", str(out), "--json", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return process.returncode, out, err


def lines(path: Path) -> list[bytes]:
    """Return what can be read of a recording that is being written."""
    found: list[bytes] = []
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            found.extend(file)
    except (EOFError, FileNotFoundError):
        pass
    return found


def wait_until_it_records(world: World, out: Path) -> None:
    def arrives() -> bool:
        world.publish([("traffic/pump/probe/flow", "0")])
        return bool(lines(out))

    wait_until(arrives, "the recorder is subscribed")


def test_what_was_published_is_recorded_until_ctrl_c_and_can_be_trained_on(
    config: Path, world: World, tmp_path: Path
) -> None:
    out, table = tmp_path / "traffic.jsonl.gz", tmp_path / "readings.csv"
    process = start(config, out)
    try:
        wait_until_it_records(world, out)
        sent = [(f"traffic/pump/p{k % 3}/flow", f"{k}") for k in range(300)]
        world.publish([*sent, ("traffic/fan/f1", '{"ts": 1700000000, "value": 1.5}'), ("traffic/fan/f1", b"\xff\xfe")])
        wait_until(lambda: any(b"base64" in line for line in lines(out)), "all of it is recorded")
        process.send_signal(signal.SIGINT)
        code, said, err = finish(process)
    finally:
        process.kill()
    assert (code, err) == (0, "")
    told = json.loads(said)
    assert told["messages"] == len(lines(out)) >= 302
    assert told["interruptions"] == 0

    decoded = CliRunner().invoke(
        main, ["decode", str(config), str(out), "--monitor", "pumps", "--out", str(table), "--json"]
    )
    assert decoded.exit_code == 0, decoded.output
    assert json.loads(decoded.stdout)["other"] == 2
    recordings, account = read_recordings(Data(Files(table, Layout("time", ("flow",))), ("flow",)), 60_000)
    assert {each.name for each in recordings} == {"p0", "p1", "p2", "probe"}
    assert account.counts.readings == told["messages"] - 2


def test_a_recording_ends_after_so_many_messages(config: Path, world: World, tmp_path: Path) -> None:
    out = tmp_path / "traffic.jsonl"
    process = start(config, out, "--count", "5")
    wait_until_it_records(world, out)
    world.publish([("traffic/pump/a/flow", "1")] * 10)
    code, said, _ = finish(process)
    assert (code, json.loads(said)["messages"], len(lines(out))) == (0, 5, 5)


def test_a_recording_ends_after_so_long(config: Path, tmp_path: Path) -> None:
    code, said, _ = finish(start(config, tmp_path / "traffic.jsonl", "--seconds", "0.5"))
    assert (code, json.loads(said)["messages"]) == (0, 0)


def test_a_broker_that_goes_away_and_comes_back_is_told(broker: Broker, config: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    settings["broker"]["port"] = broker.port
    config.write_text(yaml.safe_dump(settings))
    out = tmp_path / "traffic.jsonl"
    world = World(broker)
    process = start(config, out)
    try:
        wait_until_it_records(world, out)
        broker.stop()
        broker.start()
        so_far = len(lines(out))

        def goes_on() -> bool:
            world.publish([("traffic/pump/probe/flow", "0")])
            return len(lines(out)) > so_far

        wait_until(goes_on, "the recorder is back", 30)
        process.send_signal(signal.SIGTERM)
        code, said, err = finish(process)
    finally:
        process.kill()
        world.close()
    assert (code, json.loads(said)["interruptions"]) == (0, 1)
    assert "what comes until it is back is missing" in err


def test_two_brokers_are_recorded_into_one_file_and_told_apart(
    broker: Broker, south: Broker, world: World, config: Path, tmp_path: Path
) -> None:
    brokers = {name: {"port": each.port} for name, each in {"north": broker, "south": south}.items()}
    topic = "traffic/pump/{device}/{channel}"
    monitors = {name: {"broker": name, "topic": topic, "bundle": "pump"} for name in brokers}
    config.write_text(yaml.safe_dump({"brokers": brokers, "monitors": monitors}))
    out, table = tmp_path / "traffic.jsonl", tmp_path / "readings.csv"
    south_world = World(south)
    process = start(config, out)
    try:
        wait_until_it_records(world, out)
        south_world.publish([("traffic/pump/s/flow", "1")] * 3)
        wait_until(lambda: sum(b'"source":"south"' in line for line in lines(out)) == 3, "the south is recorded")
        process.send_signal(signal.SIGINT)
        assert finish(process)[0] == 0
    finally:
        process.kill()
        south_world.close()
    decoded = CliRunner().invoke(main, ["decode", str(config), str(out), "--monitor", "south", "--out", str(table)])
    assert decoded.output.startswith(f"3 readings in {table}, from {len(lines(out))} messages")
