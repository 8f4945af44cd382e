"""A real InfluxDB 1.x of our own."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

INFLUXD = shutil.which("influxd")
PATIENCE_S = 30.0
CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  auth-enabled = {auth}
"""


@dataclass(frozen=True)
class Server:
    """An influxd that listens on a loopback port."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, bytes]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, body.encode())
            answer = connection.getresponse()
            return answer.status, answer.read()

    def query(self, query: str, **arguments: str) -> None:
        status, answer = self.ask("POST", f"/query?{urlencode({'q': query, **arguments})}")
        assert status == 200, answer
        assert b"error" not in answer

    def write(self, lines: list[str]) -> None:
        status, answer = self.ask("POST", "/write?db=plant&precision=ms", "\n".join(lines))
        assert status == 204, answer

    def is_up(self) -> bool:
        try:
            return self.ask("GET", "/ping")[0] == 204
        except OSError:
            return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def serve(folder: Path, auth: str) -> Iterator[Server]:
    if INFLUXD is None:
        pytest.skip("apt-get install influxdb")
    server = Server(free_port())
    config = folder / "influxdb.conf"
    config.write_text(CONFIGURATION.format(rpc=free_port(), http=server.port, folder=folder, auth=auth))
    with (folder / "influxd.log").open("wb") as log:
        process = subprocess.Popen([INFLUXD, "-config", str(config)], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not server.is_up():
            assert process.poll() is None, (folder / "influxd.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "influxd does not answer"
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server with an empty database `plant`."""
    for server in serve(tmp_path_factory.mktemp("influx"), "false"):
        server.query('CREATE DATABASE "plant"')
        yield server


@pytest.fixture(scope="session")
def guarded_influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that wants the user `reader` with the password `right`."""
    for server in serve(tmp_path_factory.mktemp("guarded"), "true"):
        server.query("CREATE USER reader WITH PASSWORD 'right' WITH ALL PRIVILEGES")
        server.query('CREATE DATABASE "plant"', u="reader", p="right")
        yield server
