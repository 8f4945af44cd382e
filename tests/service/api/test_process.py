import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edge.errors import ConfigError
from edge.inbox import Inbox
from service.api.process import HttpProcess
from service.api.settings import HttpSettings
from service.counters import Counters
from service.operation.health import Health
from service.operation.standing import Standing
from service.storage.store import Store
from tests.service.api.conftest import SLOTS, STREAMS, Site, open_site
from tests.system.conftest import Plant, free_port, wait_until


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as site:
        yield site


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] or [
        int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()
    ]


def test_a_process_that_is_killed_is_begun_anew_and_knows_what_was_said_before(own_site: Site) -> None:
    own_site.fill()
    (first,) = children(own_site.plant.pid)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: children(own_site.plant.pid) not in ([], [first]), "another has begun")
    wait_until(lambda: own_site.answers("/healthz"), "it answers")
    streams = own_site.get("/v1/streams")["streams"]
    assert [len(each["sparkline"]) > SLOTS // 2 for each in streams] == [True] * len(STREAMS)
    assert {each["name"]: each["alarms"] for each in streams}[STREAMS[0]] == 1


def test_it_ends_with_the_service_however_that_ends(own_site: Site) -> None:
    (child,) = children(own_site.plant.pid)
    own_site.plant.kill()
    wait_until(lambda: not Path(f"/proc/{child}").exists(), "the HTTP process has ended")


def test_a_mistake_in_what_it_is_told_ends_neither_the_service_nor_the_dashboard(
    database: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    assert store.db
    config, port, mistakes = database.parent / "foresense.yaml", free_port(), [ValueError("a number that is none")]
    config.write_text(f"http: {{port: {port}}}\nmonitors: {{main: {{topic: 'a/{{b}}', bundle: pump}}}}\n")

    def metrics(_accept: str) -> tuple[str, bytes]:
        if mistakes:
            raise mistakes.pop()
        return "text/plain", b"foresense 1\n"

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=20).text == "foresense 1\n"
        except httpx.HTTPError:
            return False

    process = HttpProcess(
        HttpSettings(port=port),
        config,
        Health(metrics, lambda: True, lambda: True),
        Standing(Counters(), Inbox()),
    )
    process.start()
    try:
        wait_until(answers, "it is begun anew and answers")
    finally:
        process.stop()
    assert not mistakes
    assert "the HTTP process is begun anew in 0.5 s: ValueError('a number that is none')" in caplog.text


def test_its_log_is_json_where_that_of_the_service_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plant, "command", ("serve", "--log-format", "json"))
    with open_site(tmp_path) as site:
        log = site.plant.log
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"service.api.process", "uvicorn.error"} <= {each["logger"] for each in told}


def test_a_configuration_that_it_cannot_read_is_told_in_a_sentence(own_site: Site) -> None:
    own_site.plant.config.write_text("monitors: {}\n")
    os.kill(children(own_site.plant.pid)[0], signal.SIGKILL)
    said = "the HTTP process cannot begin: "
    wait_until(lambda: said in own_site.plant.log.read_text(), "it says why")
    assert "Traceback" not in own_site.plant.log.read_text()


def test_an_address_that_is_taken_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        standing = Standing(Counters(), Inbox())
        process = HttpProcess(
            HttpSettings(port=port), tmp_path, Health(lambda _: ("", b""), lambda: True, lambda: True), standing
        )
        with pytest.raises(ConfigError, match=f"http: expected an address that is free, got 127.0.0.1:{port}: "):
            process.start()
