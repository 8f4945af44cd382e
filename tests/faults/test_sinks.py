"""The server of a sink is away, slow, or refuses, while the service goes on."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain, cycle, repeat
from pathlib import Path

import pytest

from tests.faults.conftest import AFTER, BEFORE, FIRST, INTERVAL_MS, PAUSE, SLOTS, Outcome, Site
from tests.faults.proxy import Proxy
from tests.service.relays.conftest import Receiver, Reply
from tests.system.conftest import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


def watch(site: Site, port: int) -> None:
    """Have the service write its verdicts and alarms to a server as to an InfluxDB."""
    influx = {"url": f"http://127.0.0.1:{port}", "database": "plant"}
    site.plant.configure(sinks={"history": {"influx": influx, "timeout_s": 1}})


def points(receiver: Receiver) -> set[bytes]:
    """Return the verdicts on the recording's slots that the server has taken, each once."""
    lines = (line for request in receiver.taken for line in request.body.splitlines())
    end = FIRST + SLOTS * INTERVAL_MS
    return {line for line in lines if line.startswith(b"verdict,") and int(line.rpartition(b" ")[2]) < end}


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, bundles: Path, reference: Outcome) -> set[bytes]:
    """Return the points of a run that nobody disturbs."""
    server, site = Receiver(), Site(tmp_path_factory.mktemp("sink"), bundles, "undisturbed")
    try:
        watch(site, server.port)
        site.start()
        site.publish()
        site.assert_undisturbed(reference)
        return points(server)
    finally:
        site.close()
        server.close()


def assert_told(site: Site, receiver: Receiver, expected: set[bytes], reference: Outcome) -> None:
    """Wait until the server has all, and assert that the service itself has not been disturbed either."""
    wait_until(lambda: points(receiver) >= expected, "all points are taken", 120)
    site.assert_undisturbed(reference)
    assert points(receiver) == expected


SCRIPTS: dict[str, Callable[[], Iterator[Reply]]] = {
    "fails": lambda: chain(repeat(Reply(500), 3), repeat(Reply())),
    "is busy and asks for time": lambda: chain([Reply(429, {"Retry-After": "2"})], repeat(Reply())),
    "takes it and answers too late": lambda: chain([Reply(after_s=2)], repeat(Reply())),
    "fails every other time": lambda: cycle([Reply(503), Reply()]),
}


@pytest.mark.parametrize("trouble", SCRIPTS)
def test_a_server_with_passing_trouble_has_everything_in_the_end(
    trouble: str, site: Site, receiver: Receiver, undisturbed: set[bytes], reference: Outcome
) -> None:
    replies = SCRIPTS[trouble]()
    receiver.answer = lambda _: next(replies)
    watch(site, receiver.port)
    site.start()
    site.publish()
    assert_told(site, receiver, undisturbed, reference)


def test_a_line_that_the_server_refuses_is_kept_apart_all_others_are_taken_and_once_mended_it_is_too(
    site: Site, receiver: Receiver, undisturbed: set[bytes], reference: Outcome
) -> None:
    bad = sorted(undisturbed)[len(undisturbed) // 2]
    refusing = True
    receiver.answer = lambda request: Reply(400) if refusing and bad in request.body else Reply()
    watch(site, receiver.port)
    site.start()
    site.publish()
    wait_until(lambda: site.plant.count("relay_letter") == 1, "the refused line is kept")
    wait_until(lambda: points(receiver) == undisturbed - {bad}, "all others are taken", 60)
    refusing = False
    command = [str(Path(sys.executable).with_name("foresense")), "dead-letters", "replay"]
    said = subprocess.run([*command, str(site.plant.config), "history:1"], capture_output=True, check=True, timeout=60)
    assert said.stdout.startswith(b"1 dead letter: ")
    assert_told(site, receiver, undisturbed, reference)
    assert sum(bad in request.body for request in receiver.taken) == 1
    assert site.plant.count("relay_letter") == 0


def test_a_server_that_is_away_and_comes_back_has_everything_though_the_service_was_killed_meanwhile(
    site: Site, receiver: Receiver, undisturbed: set[bytes], reference: Outcome
) -> None:
    link = Proxy(receiver.port)  # which does not yet answer
    watch(site, link.port)
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    site.plant.kill()
    site.start()
    site.publish(AFTER)
    site.wait_for_slots(SLOTS)
    link.start()
    assert_told(site, receiver, undisturbed, reference)
    link.stop()


@pytest.mark.parametrize("place", ["before-delivery", "after-delivery:2"])
def test_a_service_that_is_killed_while_it_delivers_tells_everything_in_the_end(
    place: str, site: Site, receiver: Receiver, undisturbed: set[bytes], reference: Outcome
) -> None:
    watch(site, receiver.port)
    site.plant.environment = {"FORESENSE_FAILPOINT": place}
    site.start()
    site.publish()
    assert site.plant.wait() == -signal.SIGKILL
    site.plant.environment = {}
    site.start()
    assert_told(site, receiver, undisturbed, reference)
