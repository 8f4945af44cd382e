import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from service.brokers.tls import TlsSettings
from service.cli import main
from service.configuration import read_settings
from service.traffic.recording import RecordingWriter
from tests.conftest import MakeBundle
from tests.service.authority import Authority
from tests.service.sniff.conftest import plant, said
from tests.system.conftest import MOSQUITTO, Broker, World, free_port

SECURE = """
per_listener_settings true
listener {port} 127.0.0.1
allow_anonymous true
persistence_location {folder}/
log_dest none

listener {secure} 127.0.0.1
certfile {folder}/here.crt
keyfile {folder}/here.key
cafile {folder}/authority.crt
require_certificate true
use_identity_as_username true
"""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "traffic.jsonl.gz"
    with RecordingWriter(path) as file:
        file.write(plant())
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_what_is_found_in_a_recording_is_checked_but_for_the_bundles(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "foresense.yaml"
    result = run("sniff", recording, "--out", out)
    assert result.exit_code == 0, result.output
    assert "2 topics are not understood\n" in result.output
    assert f"  foresense check {out}" in result.output

    checked = run("check", out)
    assert checked.exit_code == 2
    problems = checked.output.splitlines()
    assert len(problems) == 10
    assert all("expected a bundle" in problem for problem in problems)


def test_the_way_from_traffic_to_a_configuration_that_is_accepted(tmp_path: Path, make_bundle: MakeBundle) -> None:
    traffic, out, table = tmp_path / "traffic.jsonl", tmp_path / "foresense.yaml", tmp_path / "pump.csv"
    with RecordingWriter(traffic) as file:
        file.write([said(f"plant/p{k % 2}/{name}", "1", 10 * k) for k in range(20) for name in ("flow", "heat")])
    make_bundle(channels=("flow", "heat"))
    result = run("sniff", traffic, "--out", out, "--bundle", "pump", "--json")
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["monitors"]
    assert (found["topic"], found["interval_ms"]) == ("plant/{device}/{channel}", 20_000)

    assert run("decode", out, traffic, "--out", table).exit_code == 0
    assert len(table.read_text().splitlines()) == 41
    checked = run("check", out)
    assert (checked.exit_code, "plant: plant/+/+ with bundle pump/1" in checked.output) == (0, True), checked.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--broker", "localhost"), "--broker: expected either a broker or a recording"),
        (("--config", "broker.yaml", "--username", "me"), "--config: expected it in place of --broker, --username"),
        (("--config", "/none/such.yaml"), "/none/such.yaml: expected a configuration file"),
        (("--out", "/none/such.yaml"), "--out: /none/such.yaml: expected a file that can be written"),
    ],
)
def test_mistakes_are_told(recording: Path, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    result = run("sniff", recording, "--out", tmp_path / "foresense.yaml", *options)
    assert (result.exit_code, message in result.output) == (2, True), result.output


@pytest.mark.skipif(MOSQUITTO is None, reason="needs a broker: apt-get install mosquitto")
def test_a_broker_that_asks_for_a_certificate_is_listened_to_as_a_configuration_says(tmp_path: Path) -> None:
    authority, port, out = Authority(tmp_path), free_port(), tmp_path / "foresense.yaml"
    authority.issue("here", host="127.0.0.1")
    authority.issue("us")
    tls = {"ca_file": "authority.crt", "certificate_file": "us.crt", "key_file": "us.key"}
    config = tmp_path / "broker.yaml"
    config.write_text(yaml.safe_dump({"broker": {"host": "127.0.0.1", "port": port, "tls": tls}}))
    broker = Broker(tmp_path, SECURE.replace("{secure}", str(port))).start()
    world = World(broker)
    try:
        devices = [(f"plant/p{device}/{name}", "1.5") for device in range(2) for name in ("flow", "heat")]
        world.publish(devices, retain=True)
        result = run("sniff", "--config", config, "--seconds", 3, "--out", out)
        assert result.exit_code == 0, result.output
    finally:
        world.close()
        broker.stop()
    settings = read_settings(out)
    assert settings.monitors["plant"].topic == "plant/{device}/{channel}"
    assert settings.connections[""].tls == TlsSettings.model_validate(tls).relative_to(tmp_path)
    settings.connections[""].check_files()


def test_a_file_that_is_there_is_not_written_over(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    result = run("sniff", recording, "--out", tmp_path / "mine.yaml")
    assert (result.exit_code, "--out: expected the name of a new file" in result.output) == (2, True)
    assert (tmp_path / "mine.yaml").read_text() == "mine"


def test_traffic_without_a_reading_makes_no_file(tmp_path: Path) -> None:
    traffic = tmp_path / "traffic.jsonl"
    with RecordingWriter(traffic) as file:
        file.write([said("a", "online"), said("b", "offline")])
    result = run("sniff", traffic, "--out", tmp_path / "foresense.yaml")
    assert (result.exit_code, "got 2 on 2 topics, none of which can" in result.output) == (2, True), result.output
    assert not (tmp_path / "foresense.yaml").exists()


@pytest.mark.parametrize(
    "broker", ["", "host:port", "host:0", "host:99999", "http://host", "mqtt://me@host", "mqtt://h/p"]
)
def test_an_address_that_is_none_is_told(broker: str, tmp_path: Path) -> None:
    result = run("sniff", "--broker", broker, "--out", tmp_path / "foresense.yaml")
    assert (result.exit_code, "--broker: expected HOST or HOST:PORT" in result.output) == (2, True), result.output
