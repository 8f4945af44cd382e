"""What the fault tests share: a fixed recording, a site that plays it to a real service, and what must hold after.

Each test disturbs the site in one way and ends with `assert_undisturbed`: the same verdicts to the byte, the same
alarms, each told, none besides, and a balance of messages that comes out even.
"""

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from threading import Event
from typing import Any, Self

import pytest

from edge.messages.stamp import iso
from tests.conftest import START_MS, write_pump
from tests.faults.proxy import Proxy
from tests.system.conftest import MOSQUITTO, Broker, Plant, World, wait_until

INTERVAL_MS = 1_000  #: short, so that whatever is held up for seconds is held up for many slots
FIRST = START_MS // INTERVAL_MS * INTERVAL_MS
LONG = bool(os.environ.get("FORESENSE_TEST_LONG"))  #: 500 kills, 200 cuts, an hour's soak, instead of some
SLOTS = 60
PAUSE = range(28, 32)  #: slots in which devices say nothing: while they wait, their time must not go on without them
BEFORE, AFTER = range(PAUSE.start), range(PAUSE.stop, SLOTS)  #: the halves of the recording
STREAMS = tuple(f"north/pump-{number}" for number in range(6))
SPIKES = {20: STREAMS, 45: STREAMS[:3]}
INCIDENT = "20s"  #: so that the next spikes make another; the message of one lists 200 alarms at most
KEEPALIVE_S = 5
NOTICED_S = 2 * KEEPALIVE_S + 2  #: within which a silent broker is noticed; the client looks once a second
SETTLE_S = 30.0
LAST_RETRY_S = 30.0  #: the longest that the writer waits before it tries a transaction again

Messages = list[tuple[str, bytes | str]]

ALARMS = """SELECT alarm.id, name, bundle, channel, "start", "end", score, value, expected, lower, upper,
    peak_score, peak_time, peak_channel, raised, incident
    FROM alarm JOIN stream ON stream.id = alarm.stream ORDER BY alarm.id"""
INCIDENTS = 'SELECT id, site, "start", "end", newest, alarms FROM incident ORDER BY id'


def spoken(slots: range) -> list[int]:
    """Return the slots in which the devices say something."""
    return [slot for slot in slots if slot % SLOTS not in PAUSE]


def recording(slots: range = range(SLOTS)) -> Messages:
    """Return the readings of all streams in order of time, two a slot; those of a slot are the same each time."""
    readings = []
    for slot in spoken(slots):
        chance = random.Random(slot)  # noqa: S311
        for stream in STREAMS:
            for half in (0, 500):
                time = FIRST + slot * INTERVAL_MS + half + chance.randrange(500)
                value = 100.0 if stream in SPIKES.get(slot % SLOTS, ()) else chance.random()
                readings.append((time, stream, json.dumps({"ts": time, "value": value})))
    readings.sort(key=itemgetter(0))
    return [(f"plant/{stream}/value", payload) for _, stream, payload in readings]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a service leaves behind of the recording."""

    slots: int  #: of each stream
    verdicts: bytes  #: the table of `foresense verdicts`
    alarms: list[Any]
    incidents: list[Any]

    @classmethod
    def of(cls, plant: Plant, slots: int) -> Self:
        return cls(slots, verdicts_of(plant, slots), plant.query(ALARMS), plant.query(INCIDENTS))


def verdicts_of(plant: Plant, slots: int) -> bytes:
    """Return the verdicts on the slots of a recording; those after it are a matter of when one looks."""
    end = iso(FIRST + slots * INTERVAL_MS)
    command = [str(Path(sys.executable).with_name("foresense")), "verdicts", str(plant.database), "--to", end]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


class Site:
    """A broker, a service that listens to it, and the devices and listeners of the world around them."""

    def __init__(self, folder: Path, bundles: Path, name: str = "site") -> None:
        self.hurry = Event()  #: set: the devices pause no longer
        self.within: Sequence[str] = ()  #: what stands before the service's command
        self.broker = Broker(folder).start()
        self.world = World(self.broker, f"{name}-world", inflight=1)
        self.plant = make_plant(folder / name, self.broker, bundles, name)
        self.world.listen(f"{self.plant.prefix}/#")

    def start(self, patience_s: float = 20.0) -> None:
        """Start the service, and return when it is subscribed."""
        heard = len(self.world.heard)
        self.plant.start(self.within)
        online = (self.plant.availability, b"online")
        wait_until(lambda: online in self.world.heard[heard:], "online", patience_s)

    def publish(self, slots: range = range(SLOTS), pause_s: float = 0) -> None:
        """Have the devices say what they measured in these slots, and return when the broker has it.

        They pause after each slot, not within: who is held up there, as on a busy machine, is late by his own time.
        """
        if not pause_s:
            self.world.publish(recording(slots))
            return
        for slot in spoken(slots):
            self.world.publish(recording(range(slot, slot + 1)))
            self.hurry.wait(pause_s)

    def wait_for_slots(self, slots: int, patience_s: float = SETTLE_S) -> None:
        """Return once the service has stored the verdicts on so many slots of each stream."""
        before = FIRST + slots * INTERVAL_MS
        select = "SELECT count(*) FROM verdict WHERE time < ?"
        wanted = len(spoken(range(slots))) * len(STREAMS)
        wait_until(lambda: self.plant.query(select, before) == [(wanted,)], f"{wanted} verdicts", patience_s)

    def settle(self, slots: int = SLOTS, patience_s: float = SETTLE_S) -> None:
        """Return once all is stored and told."""
        self.wait_for_slots(slots, patience_s)
        wait_until(lambda: self.plant.count("outbox") == 0, "all alarms are delivered", patience_s)

    def alarms_heard(self) -> set[str]:
        """Return the ids of the alarms that the world was told of, by themselves or within an incident."""
        prefix = f"{self.plant.prefix}/"
        heard = [(topic, body) for topic, body in list(self.world.heard) if topic.startswith(prefix)]
        alarms = [json.loads(body) for topic, body in heard if topic.endswith("/alarm")]
        incidents = [json.loads(body) for topic, body in heard if topic.endswith("/incident")]
        return {each["id"] for each in [*alarms, *(m for each in incidents for m in each["members"])]}

    def balance(self) -> dict[str, int]:
        """Return the counts in the last line that the service has written of itself."""
        summaries = [line for line in self.plant.log.read_text().splitlines() if " received, " in line]
        assert summaries, f"expected a summary in the log, got {self.plant.log.read_text()[-2000:]}"
        return {what: int(count) for count, what in re.findall(r"(\d+) ([a-z-]+(?: [a-z]+)*)", summaries[-1])}

    def assert_undisturbed(self, reference: Outcome, patience_s: float = SETTLE_S) -> dict[str, int]:
        """Wait for the end, and assert that nobody can tell that anything happened; return the last balance."""
        self.settle(reference.slots, patience_s)
        verdicts = verdicts_of(self.plant, reference.slots)
        assert verdicts.splitlines() == reference.verdicts.splitlines()
        assert verdicts == reference.verdicts
        self.assert_same_alarms(reference)
        assert self.plant.end() == 0
        return self.assert_balanced()

    def assert_same_alarms(self, reference: Outcome) -> None:
        """Wait until all alarms are told, and assert that they are the expected ones, and that no message was bad."""
        expected = {row[0] for row in reference.alarms}
        wait_until(lambda: self.alarms_heard() >= expected, "every alarm heard")
        wait_until(lambda: self.plant.count("outbox") == 0, "all alarms are delivered")
        with suppress(AssertionError):  # an end may be yet to come, as it is tried again; what differs is told below
            wait_until(lambda: self.plant.query(ALARMS) == reference.alarms, "each alarm has ended", 2 * LAST_RETRY_S)
        outcome = Outcome.of(self.plant, reference.slots)
        assert outcome.alarms == reference.alarms
        assert outcome.incidents == reference.incidents
        assert self.alarms_heard() == expected
        assert self.plant.count("dead_letter") == 0

    def assert_balanced(self) -> dict[str, int]:
        """Assert that the service that has ended knew what became of every message and reading."""
        count = self.balance()
        assert count["received"] == count["committed"] + count["retained"] + count["rejected"]
        assert count["in flight"] == 0
        assert count["late"] == count["conflicting"] == count["invalid"] == 0
        return count

    def close(self) -> None:
        self.plant.kill()
        self.world.close()
        self.broker.stop()


def make_plant(
    folder: Path, broker: Broker, bundles: Path, name: str, extra: Mapping[str, Any] | None = None, **connection: Any
) -> Plant:
    """Return a service that watches the recording."""
    monitor = {"topic": "plant/{site}/{device}/{channel}", "payload": "json", "time": "ts", "bundle": "pump"}
    connection = {"keepalive": KEEPALIVE_S} | connection
    incident = {"within": INCIDENT}
    return Plant(
        folder, broker, name, bundles, {"main": monitor | dict(extra or {})}, {"incident": incident}, **connection
    )


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the one bundle: a channel whose readings of a slot are averaged."""
    if MOSQUITTO is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    folder = tmp_path_factory.mktemp("bundles")
    created = iso(FIRST)  # the clock is set to the recording's time in some tests
    write_pump(folder, streams=STREAMS, interval_ms=INTERVAL_MS, aggregate="mean", created=created)
    return folder


MakeReference = Callable[[int], Outcome]


@pytest.fixture(scope="session")
def make_reference(tmp_path_factory: pytest.TempPathFactory, bundles: Path) -> MakeReference:
    """Return a maker of the outcome of so many slots that nobody disturbs."""

    def make(slots: int) -> Outcome:
        site = Site(tmp_path_factory.mktemp("reference"), bundles, "undisturbed")
        try:
            site.start()
            site.publish(range(slots))
            site.settle(slots)
            outcome = Outcome.of(site.plant, slots)
            assert site.plant.end() == 0
            count = site.assert_balanced()
            assert count["committed"] == count["fed"] == len(recording(range(slots)))
            assert count["duplicate"] == 0
        finally:
            site.close()
        assert outcome.verdicts.count(b"\n") == 1 + len(spoken(range(slots))) * len(STREAMS)
        return outcome

    return make


@pytest.fixture(scope="session")
def reference(make_reference: MakeReference) -> Outcome:
    """Return the outcome of the usual recording that nobody disturbs."""
    outcome = make_reference(SLOTS)
    assert [incident[-1] for incident in outcome.incidents] == [6, 3]
    assert len(outcome.alarms) == 9
    return outcome


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    """Return a proxy between the service, which is not yet started, and the broker."""
    made = Proxy(site.broker.port).start()
    site.plant.configure(broker={"port": made.port})
    yield made
    made.stop()


@pytest.fixture
def site(tmp_path: Path, bundles: Path) -> Iterator[Site]:
    """Return a site with a broker of its own; its service is not yet started."""
    made = Site(tmp_path, bundles)
    yield made
    with suppress(subprocess.TimeoutExpired):
        made.plant.end()  # if the test has failed, its balance is of interest
    made.close()
    print(made.plant.log.read_text()[-8000:])  # shown if the test fails
