from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from edge.errors import ConfigError, DataError
from models.data.recordings import Data, read_recordings
from models.data.sources.influx import Credentials, Influx
from models.data.sources.source import Block
from service.cli import main
from tests.models.data.sources.conftest import Server

T0 = 1_700_000_000_000


@pytest.fixture(scope="module")
def pumps(influx: Server) -> Server:
    """Return a server with two pumps: 12,000 points, more than a chunk, and one field missing in one."""
    lines = [f"line\\ 1,pump=p-1 flow={slot % 7},heat=20i {T0 + 1000 * slot}" for slot in range(12_000)]
    lines.append(f'line\\ 1,pump=p\\ "2" flow=1.5 {T0 + 500}')
    influx.write(lines)
    influx.write([f'text,pump=p-1 state="high" {T0}', f"text flow=1 {T0}"])
    return influx


def source(server: Server, **options: Any) -> Influx:
    known: dict[str, Any] = {"measurement": "line 1", "channels": ("heat", "flow"), "device": "pump"}
    return Influx(server.url, "plant", **known | options)


def test_fields_are_channels_and_a_tag_tells_the_streams(pumps: Server) -> None:
    blocks: list[Block] = list(source(pumps).blocks())
    assert len(blocks) > 2
    assert blocks[-1].names == ['p "2"', "p-1"]
    assert sum(block.rows for block in blocks) == 12_001
    assert sum(block.empty for block in blocks) == 1
    flow = np.concatenate([block.readings.value[block.readings.channel == 1] for block in blocks])
    assert flow.sum() == sum(slot % 7 for slot in range(12_000)) + 1.5


def test_a_measurement_can_be_cut_into_slots(pumps: Server) -> None:
    data = Data(source(pumps, start_ms=T0 + 1000, end_ms=T0 + 5000), ("heat", "flow"))
    (recording,), account = read_recordings(data)
    assert (recording.name, recording.interval_ms, recording.first) == ("p-1", 1000, T0 // 1000 + 1)
    np.testing.assert_array_equal(recording.values, [[20, 1], [20, 2], [20, 3], [20, 4]])
    assert (account.counts.rows, account.counts.used) == (4, 8)


def test_without_a_tag_the_measurement_is_one_stream(pumps: Server) -> None:
    blocks = list(source(pumps, device=None, end_ms=T0 + 2000).blocks())
    assert blocks[-1].names == ["line 1"]
    assert (np.diff(blocks[0].readings.time) >= 0).all()
    assert next(iter(source(pumps, device=None, stream="hall").blocks())).names == ["hall"]


def test_a_name_for_the_one_stream_and_a_tag_are_too_much() -> None:
    with pytest.raises(
        ConfigError, match="--stream: expected it only where no tag tells streams apart, got 'pump' too"
    ):
        Influx("http://localhost:8086", "plant", "line", ("flow",), "pump", "hall")


def test_a_measurement_that_is_not_there_is_told_with_those_there(pumps: Server) -> None:
    with pytest.raises(DataError, match=r"plant\.lines: expected readings of heat, flow, got none; .*'line 1', 'text'"):
        list(source(pumps, measurement="lines").blocks())


def test_a_database_that_is_not_there_is_told(pumps: Server) -> None:
    with pytest.raises(DataError, match=r"expected an answer to .*, got: database not found: planet"):
        list(Influx(pumps.url, "planet", "line 1", ("flow",)).blocks())


def test_points_without_the_tag_and_fields_of_text_are_told(pumps: Server) -> None:
    with pytest.raises(DataError, match="expected a tag 'pump' on every point"):
        list(source(pumps, measurement="text", channels=("flow",)).blocks())
    with pytest.raises(DataError, match=r"p-1: expected fields that are numbers, got: could not convert .*'high'"):
        list(source(pumps, measurement="text", channels=("state",)).blocks())


def test_a_server_that_is_away_is_told() -> None:
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:9: expected an InfluxDB server, got: .*refused"):
        list(Influx("http://127.0.0.1:9", "plant", "line", ("flow",)).blocks())


def test_only_the_right_password_opens_a_guarded_server(guarded_influx: Server) -> None:
    def measure(credentials: Credentials) -> list[Block]:
        guarded = Influx(guarded_influx.url, "plant", "line", ("flow",), credentials=credentials)
        return list(guarded.blocks())

    with pytest.raises(DataError, match="expected an answer, got 401 authorization failed"):
        measure(Credentials(user="reader", password="wrong"))  # noqa: S106
    with pytest.raises(DataError, match="expected an answer, got 401 unable to parse authentication"):
        measure(Credentials())
    with pytest.raises(DataError, match="the measurements there are none"):
        measure(Credentials(user="reader", password="right"))  # noqa: S106


@pytest.fixture
def requests_heard() -> Any:
    """Return a server that speaks no InfluxQL, and the headers it was sent."""
    heard: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.headers["Authorization"])
            self.send_response(302 if self.path.startswith("/moved/") else 200)
            self.send_header("Location", "/query")
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_is_sent_and_an_answer_that_is_no_json_is_told(requests_heard: Any) -> None:
    url, heard = requests_heard
    with pytest.raises(DataError, match="expected an InfluxDB server, got an answer that is no JSON"):
        list(Influx(url, "plant", "line", ("flow",), credentials=Credentials("t0ken")).blocks())
    assert heard == ["Token t0ken"]


def test_a_secret_does_not_follow_a_redirection(requests_heard: Any) -> None:
    url, heard = requests_heard
    with pytest.raises(DataError, match="expected an answer, got 302"):
        list(Influx(f"{url}/moved", "plant", "line", ("flow",), credentials=Credentials("t0ken")).blocks())
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://localhost", "expected a URL such as http://localhost:8086"),
        ("http://reader:right@localhost:8086", "expected --user and --password-file, got a user in the URL"),
        ("http://plant.example:8086", "expected an https URL, as a password or token would cross the network"),
    ],
)
def test_a_url_that_cannot_be_is_told(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Influx(url, "plant", "line", ("flow",), credentials=Credentials("t0ken"))
    assert "right" not in str(caught.value)


def test_the_commands_ask_a_server_with_a_secret_from_a_file(guarded_influx: Server, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    options = ["--database", "plant", "--measurement", "line", "--channel", "flow", "--user", "reader"]
    result = CliRunner().invoke(main, ["train", guarded_influx.url, *options, "--password-file", str(secret)])
    assert result.exit_code == 2
    assert "expected an answer, got 401 authorization failed" in result.stderr
