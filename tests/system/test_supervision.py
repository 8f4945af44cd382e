"""The real command under a supervisor that speaks systemd's protocol."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.operation.supervisor import EXIT_HUNG
from tests.conftest import MakeBundle
from tests.system.conftest import Broker, MakePlant, World
from tests.system.test_service import monitor, recording


@pytest.fixture
def notified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Return the socket of a supervisor that wants to hear of the service every 4 s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "4000000")
        yield sock


@pytest.mark.slow
def test_it_says_that_it_is_ready_that_it_lives_and_that_it_ends(
    broker: Broker, make_plant: MakePlant, make_bundle: MakeBundle, notified: socket.socket
) -> None:
    plant = make_plant(broker, "told", make_bundle().path.parents[1], {"main": monitor("told")})
    plant.start()
    assert notified.recv(1000) == b"READY=1"
    heard = [notified.recv(1000) for _ in range(8)]
    assert all(each.startswith(b"WATCHDOG=1\nSTATUS=") for each in heard)
    assert heard[-1].endswith(b"STATUS=subscribed; 0 messages committed, 0 in flight")
    assert plant.end() == 0
    while (last := notified.recv(1000)).startswith(b"WATCHDOG"):
        pass
    assert last == b"STOPPING=1"


@pytest.mark.slow
@pytest.mark.parametrize(("place", "who"), [("before-commit:4", "writer"), ("before-verdicts", "relay mqtt")])
def test_a_worker_that_hangs_ends_the_process_and_the_next_one_goes_on(
    place: str,
    who: str,
    broker: Broker,
    world: World,
    make_plant: MakePlant,
    make_bundle: MakeBundle,
    notified: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"hung-{who.partition(' ')[0]}"
    bundles = make_bundle(streams=("north/pump-1",)).path.parents[1]
    plant = make_plant(broker, name, bundles, {"main": monitor(name)})
    world.listen(f"{plant.prefix}/#")
    monkeypatch.setenv("FORESENSE_FAILPOINT", f"{place}=hang")
    plant.start()
    world.wait_for(plant.availability, b"online")
    world.publish(recording(f"{name}/north/pump-1/value"), pause_s=0.05)
    assert plant.wait(60) == EXIT_HUNG
    said = plant.log.read_text()
    assert f"CRITICAL edge.operation.supervisor: {who}: no sign of life" in said
    assert "failpoint.py" in said.partition("Where all threads are")[2]
    assert notified.recv(1000) == b"READY=1"

    monkeypatch.delenv("FORESENSE_FAILPOINT")
    plant.start()
    opened, closed = world.hear(f"{plant.prefix}/north/pump-1/alarm", 2)
    assert (opened["id"], closed["state"]) == (closed["id"], "closed")
    assert plant.end() == 0
    assert plant.count("verdict") == 30
