"""A device is killed while it fetches, switches and commits bundles: a whole, signed one is in charge whenever."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from edge.updates.ledger import State
from service.brokers.broker import BrokerSettings
from service.fleet.line import Line
from service.fleet.shelf import Shelf
from tests.conftest import write_large_pump
from tests.edge.updates.fleet import DeviceProcess, Operator
from tests.faults.conftest import LONG
from tests.system.conftest import Broker, wait_until
from tests.system.conftest import broker as broker

pytestmark = pytest.mark.slow

KILLS = 200 if LONG else 20  #: of the long run
SIZE = 400_000  # bytes of a bundle, so that there is something to fetch
STATES = (State.DOWNLOADING, State.DOWNLOADED, State.ACTIVE, State.COMMITTED)  #: in which it is killed
PLACES = (
    "chunk-taken:1",
    "chunk-taken:5",
    "downloaded",
    "verified",
    "admitted",
    "entered",
    "pointed",
    "switched",
    "before-commit",
    "committed",
)


class Depot:
    """Whoever deploys: has versions of the pump, orders them, and serves what is asked for."""

    def __init__(self, operator: Operator, device: DeviceProcess) -> None:
        self.shelves: dict[str, Shelf] = {}
        self._operator = operator
        self._device = device
        self._line = Line(BrokerSettings(port=operator.broker.port, client_id="depot"), operator.prefix)
        self._end = Event()
        self._thread = Thread(target=self._serve)

    def start(self) -> None:
        self._line.__enter__()
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
        self._line.__exit__()

    def order(self, version: str) -> None:
        """Make a version and have the device fetch it."""
        path = write_large_pump(self._operator.bundles, version, SIZE, interval_ms=100).path
        self._operator.sign(path)
        self.shelves[version] = Shelf(path, self._operator.keys)
        self._line.order(self._device.name, "pump", self._operator.order(version, id=f"{int(version):016x}"))

    def state(self, version: str) -> State:
        """Return the last that the device has said of a version."""
        report = self._line.reports().get(self._device.name)
        bundle = report.bundles.get("pump") if report else None
        return State(bundle.state) if bundle is not None and bundle.version == version else State.NONE

    def _serve(self) -> None:
        while not self._end.is_set():
            asked = self._line.asked(0.1)
            if asked is not None:
                time.sleep(0.02)  # so that a download takes long enough to be killed in it
                for shelf in list(self.shelves.values()):
                    if chunk := shelf.answer(asked.request):
                        self._line.answer(asked.device, chunk)


@pytest.fixture
def device(tmp_path: Path, broker: Broker) -> Iterator[DeviceProcess]:
    made = DeviceProcess(Operator(tmp_path / "operator", broker, f"kills{os.getpid()}"), "pi-1", interval_ms=100)
    yield made
    if made.is_running():
        made.kill()


@pytest.fixture
def depot(device: DeviceProcess) -> Iterator[Depot]:
    made = Depot(device.operator, device)
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("place", PLACES)
def test_killed_at_a_named_place_a_device_has_a_whole_bundle_and_completes_the_update(
    place: str, device: DeviceProcess, depot: Depot
) -> None:
    device.environment = {"FORESENSE_FAILPOINT": place}
    device.start()
    depot.order("2")
    assert device.wait(60) == -signal.SIGKILL
    if device.slots.joinpath("current").is_symlink():
        assert device.in_charge() in ("1", "2")
    device.environment = {}
    device.start()
    wait_until(lambda: depot.state("2") is State.COMMITTED, "the update is completed", 60)
    assert device.in_charge() == "2"
    assert device.end() == 0


def test_killed_while_a_bundle_is_taken_back_a_device_has_the_one_before(tmp_path: Path, broker: Broker) -> None:
    operator = Operator(tmp_path / "operator", broker, f"kills{os.getpid()}")
    device = DeviceProcess(operator, "pi-1", interval_ms=100, behaviour={"2": "raises"})
    depot = Depot(operator, device)
    depot.start()
    try:
        device.environment = {"FORESENSE_FAILPOINT": "taken-back"}
        device.start()
        depot.order("2")
        assert device.wait(60) == -signal.SIGKILL
        assert device.in_charge() == "2"
        device.environment = {}
        device.start()
        wait_until(lambda: depot.state("2") is State.ROLLED_BACK, "the state is told", 60)
        assert device.in_charge() == "1"
        assert not (device.slots / "2").exists()
        assert device.end() == 0
    finally:
        depot.stop()


def wait_for_a_moment(device: DeviceProcess, depot: Depot, version: str, states: tuple[State, ...]) -> None:
    """Return when the device has come to one of the states, has died at a place, or takes long."""
    deadline = time.monotonic() + 8
    while device.is_running() and depot.state(version) not in states and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.alone
@pytest.mark.timeout(300 + 20 * KILLS)
def test_killed_again_and_again_a_device_always_has_a_whole_bundle(device: DeviceProcess, depot: Depot) -> None:
    chance = random.Random(KILLS)  # noqa: S311
    version, before = 2, "1"
    states: dict[State, int] = {}
    ends = (State.COMMITTED, State.ROLLED_BACK)
    depot.order(str(version))
    for kill in range(KILLS):
        at_a_place = kill % 2 == 0
        device.environment = {"FORESENSE_FAILPOINT": chance.choice(PLACES)} if at_a_place else {}
        device.start()
        wait_for_a_moment(device, depot, str(version), ends if at_a_place else (chance.choice(STATES), *ends))
        time.sleep(chance.uniform(0, 0.5))
        device.kill() if device.is_running() else device.wait()
        in_charge = device.in_charge() if (device.slots / "current").is_symlink() else before
        assert in_charge in (before, str(version))
        state = depot.state(str(version))
        states[state] = states.get(state, 0) + 1
        if state in (State.COMMITTED, State.ROLLED_BACK, State.FAILED):
            assert state is not State.FAILED
            before, version = in_charge, version + 1
            depot.order(str(version))
    device.environment = {}
    device.start()
    wait_until(lambda: depot.state(str(version)) in ends, "the last one comes to its end", 60)
    depot.order(str(version + 1))
    wait_until(lambda: depot.state(str(version + 1)) is State.COMMITTED, "an update that nobody disturbs", 60)
    assert device.in_charge() == str(version + 1)
    assert device.end() == 0
    print(f"{KILLS} kills, {version} versions, states told before them: {states}")
