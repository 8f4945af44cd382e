"""What the tests of the API share: a real service with HTTP, streams, an alarm and a dead letter."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from tests.conftest import INTERVAL_MS, write_pump
from tests.system.conftest import Broker, Plant, World, broker_in, free_port, wait_until

MARK = {"X-Foresense": "1"}
STREAMS = ("north/pump-1", "north/pump-2", "south/<img src=x onerror=alert(1)>")
SLOTS, SPIKE = 30, 20
FIRST = (int(time.time() * 1000) - SLOTS * INTERVAL_MS) // INTERVAL_MS * INTERVAL_MS


class Site:
    """A service that answers HTTP, and a client of it."""

    more: Mapping[str, Any] = MappingProxyType({})  #: parts of the configuration besides

    def __init__(
        self, folder: Path, broker: Broker, name: str, trusted: ssl.SSLContext | None = None, **http: Any
    ) -> None:
        self.port = free_port()
        self.broker = broker
        self.world = World(broker)
        self.name = name
        bundles, monitors = self.watched(folder)
        self.plant = Plant(folder, broker, name, bundles, monitors, {"http": {"port": self.port} | http, **self.more})
        self.plant.start()
        url = f"http{'s' * (trusted is not None)}://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=url, headers=MARK, timeout=20, verify=trusted or True)
        wait_until(lambda: self.answers("/readyz"), "the service is ready")

    def watched(self, folder: Path) -> tuple[Path, dict[str, Any]]:
        """Return a folder of bundles, made within a folder, and the monitors that use them."""
        bundles = write_pump(folder / "bundles", streams=STREAMS).path.parents[1]
        topic = f"{self.name}/{{site}}/{{device}}/{{channel}}"
        return bundles, {"main": {"topic": topic, "payload": "json", "time": "ts", "bundle": "pump"}}

    def answers(self, path: str) -> bool:
        """Whether a path is answered with 200."""
        try:
            return self.client.get(path).status_code == 200
        except httpx.HTTPError:
            return False

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON that a path is answered with."""
        found = self.client.get(path, params=query)
        assert found.status_code == 200, found.text
        return found.json()

    def publish(self, stream: str, slots: range, spikes: tuple[int, ...] = (), height: float = 100.0) -> None:
        """Publish the readings of slots of a stream."""
        bodies = [
            json.dumps({"ts": FIRST + slot * INTERVAL_MS, "value": height if slot in spikes else slot % 3 / 10})
            for slot in slots
        ]
        self.world.publish((f"{self.name}/{stream}/value", body) for body in bodies)

    def fill(self) -> None:
        """Publish what the tests look at: three streams, an alarm that closes, one that stays, a dead letter."""
        self.publish(STREAMS[0], range(SLOTS), (SPIKE,))
        self.publish(STREAMS[1], range(SLOTS), (SLOTS - 2, SLOTS - 1), height=12)  # so that its score is below 2
        self.publish(STREAMS[2], range(SLOTS))
        self.world.publish([(f"{self.name}/north/pump-1/value", "no json")])
        wait_until(lambda: self.get("/v1/streams")["total"] == len(STREAMS), "all streams are there")
        wait_until(lambda: self.plant.count("verdict") >= SLOTS * len(STREAMS), "all verdicts are there")

    def stream(self, name: str) -> int:
        """Return the id of a stream."""
        return int(next(each["id"] for each in self.get("/v1/streams")["streams"] if each["name"] == name))

    def alarm(self, state: str = "closed") -> dict[str, Any]:
        """Return the first alarm in a state."""
        wait_until(lambda: self.get("/v1/alarms", state=state)["total"] > 0, f"an alarm is {state}")
        found: dict[str, Any] = self.get("/v1/alarms", state=state)["alarms"][0]
        return found

    @contextmanager
    def listen(self, **query: Any) -> Iterator[Iterator[tuple[str, Any]]]:
        """Listen to events, as pairs of kind and content."""
        with self.client.stream("GET", "/v1/events", params=query) as answer:
            assert answer.status_code == 200
            lines = answer.iter_lines()
            next(line for line in lines if line == ": welcome")
            yield _events(lines)

    def close(self) -> None:
        self.client.close()
        self.world.close()
        self.plant.end()


MakeSite = Callable[..., Site]


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


@contextmanager
def open_site(folder: Path, **http: Any) -> Iterator[Site]:
    """Run a service that answers HTTP, and a broker for it."""
    with broker_in(folder) as broker:
        site = Site(folder, broker, "api", **http)
        try:
            yield site
        finally:
            site.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a service with streams, alarms and a dead letter, that the tests of a file share."""
    with open_site(tmp_path_factory.mktemp("api")) as opened:
        opened.fill()
        yield opened
