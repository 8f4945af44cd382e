import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.traffic.recording import RecordingWriter
from tests.conftest import MakeBundle
from tests.service.sniff.conftest import plant, said


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
        (("--out", "/none/such.yaml"), "--out: expected a file that can be written"),
    ],
)
def test_mistakes_are_told(recording: Path, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    result = run("sniff", recording, "--out", tmp_path / "foresense.yaml", *options)
    assert (result.exit_code, message in result.output) == (2, True), result.output


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


@pytest.mark.parametrize("broker", ["", "host:port", "host:0", "host:99999"])
def test_an_address_that_is_none_is_told(broker: str, tmp_path: Path) -> None:
    result = run("sniff", "--broker", broker, "--out", tmp_path / "foresense.yaml")
    assert (result.exit_code, "--broker: expected HOST or HOST:PORT" in result.output) == (2, True), result.output
