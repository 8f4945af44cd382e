import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.inbox import Inbox
from service.api.process import HttpProcess
from service.api.settings import HttpSettings
from service.counters import Counters
from service.operation.health import Health
from service.operation.standing import Standing
from tests.service.api.conftest import SLOTS, STREAMS, Site, open_site
from tests.system.conftest import wait_until


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


def test_an_address_that_is_taken_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        standing = Standing(Counters(), Inbox())
        process = HttpProcess(
            HttpSettings(port=port), tmp_path, Health(lambda _: ("", b""), lambda: True, lambda: True), standing
        )
        with pytest.raises(ConfigError, match=f"http: expected an address that is free, got 127.0.0.1:{port}: "):
            process.start()
