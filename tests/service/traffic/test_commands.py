from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.inbox import Message
from service.cli import main
from service.traffic.recording import RecordingWriter

CONFIG = """
broker: {port: 9}
monitors:
  pumps: {topic: "pump/{device}", bundle: pump}
  fans: {topic: "fan/{device}/{channel}", bundle: fan}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a configuration of two monitors and a recording of three messages."""
    (tmp_path / "foresense.yaml").write_text(CONFIG)
    topics = ("pump/a", "pump/b", "fan/a/speed")
    with RecordingWriter(tmp_path / "traffic.jsonl") as file:
        file.write([Message(0, 0, 1, topic, b"1", False, 1_700_000_000_000) for topic in topics])
    with (tmp_path / "traffic.jsonl").open("a") as file:
        file.write('{"time":17000')
    return tmp_path


def decode(folder: Path, *options: str) -> Result:
    out = ["--out", str(folder / "readings.csv")]
    return CliRunner().invoke(
        main, ["decode", str(folder / "foresense.yaml"), str(folder / "traffic.jsonl"), *out, *options]
    )


def test_decode_says_what_it_took_and_what_it_did_not(folder: Path) -> None:
    result = decode(folder, "--monitor", "pumps", "--channel", "flow")
    assert result.exit_code == 0, result.output
    table = folder / "readings.csv"
    assert result.stdout == f"2 readings in {table}, from 3 messages, 1 on other topics, 1 on damaged lines\n"
    assert table.read_text().splitlines()[1] == "a,2023-11-14T22:13:20.000Z,flow,1.0"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--monitor: expected one of pumps, fans, got none"),
        (("--monitor", "motors"), "--monitor: expected one of pumps, fans, got 'motors'"),
        (
            ("--monitor", "fans", "--channel", "x"),
            "--channel: expected it only where messages name none, got it for fans",
        ),
        (
            ("--monitor", "fans", "--out", "/none/such.csv"),
            "--out: /none/such.csv: expected a file that can be written",
        ),
    ],
)
def test_decode_tells_what_is_wrong(folder: Path, options: tuple[str, ...], message: str) -> None:
    result = decode(folder, *options)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
