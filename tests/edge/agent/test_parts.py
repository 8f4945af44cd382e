"""Parts of the agent, and bundles that take charge while it runs."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from edge.agent.agent import Agent
from edge.agent.part import Health, Host
from edge.agent.settings import read_settings
from edge.errors import BundleError, ConfigError
from tests.conftest import INTERVAL_MS, MakeBundle
from tests.edge.agent.test_agent import line
from tests.system.conftest import Broker, World


@dataclass
class Conductor:
    """A part that takes its orders from the test: each is carried out in a turn, once `ready` says so."""

    filters: tuple[str, ...]
    orders: list[tuple[Callable[[Host], bool], Callable[[Host], None]]]
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    host: Host | None = None
    stopped: bool = False

    def start(self, host: Host) -> None:
        self.host = host

    def cannot_open(self, bundle: str, instead: str, reason: str) -> None:
        raise AssertionError(f"{bundle}, {instead}: {reason}")

    def on_message(self, topic: str, payload: bytes) -> None:
        self.heard.append((topic, payload))

    def turn(self) -> None:
        assert self.host is not None
        if self.orders and self.orders[0][0](self.host):
            self.orders.pop(0)[1](self.host)

    def stop(self) -> None:
        self.stopped = True


def end(_host: Host) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def configured(tmp_path: Path, broker: Broker, name: str, bundles: Path) -> Path:
    monitor = {"source": "file:lines", "payload": "json", "time": "ts", "stream": "a", "bundle": "pump"}
    settings = {
        "device": name,
        "broker": {"port": broker.port, "client_id": name},
        "bundles": str(bundles),
        "publish": {"prefix": f"own-{name}"},
        "monitors": {"main": monitor},
    }
    path = tmp_path / "edge.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture
def _signals() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    watch = threading.Timer(60, end, [None])
    watch.daemon = True
    watch.start()
    yield
    watch.cancel()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
def test_a_part_hears_its_topics_publishes_and_is_stopped(
    tmp_path: Path, broker: Broker, world: World, make_bundle: MakeBundle
) -> None:
    path = configured(tmp_path, broker, "part", make_bundle(streams=("a",)).path.parents[1])
    world.listen("own-part/#")

    def answer(host: Host) -> None:
        host.publish("own-part/fleet/answer", b"yes")
        world.publish([("own-part/fleet/part/order", b"go")])

    part = Conductor(
        ("own-part/fleet/part/+",),
        [
            (lambda _: ("own-part/part/availability", b"online") in world.heard, answer),
            (lambda _: bool(part.heard), end),
        ],
    )
    agent = Agent(path, read_settings(path), [part])
    agent.run()

    assert part.heard == [("own-part/fleet/part/order", b"go")]
    assert ("own-part/fleet/answer", b"yes") in world.heard
    assert part.stopped
    assert agent.monitors() == {"main": "pump"}


@pytest.mark.usefixtures("_signals")
def test_a_bundle_that_takes_charge_goes_on_where_the_other_was_if_it_is_the_same_network(
    tmp_path: Path, broker: Broker, make_bundle: MakeBundle
) -> None:
    bundle = make_bundle(streams=("a",))
    path = configured(tmp_path, broker, "same", bundle.path.parents[1])
    (tmp_path / "lines").write_text("".join(f"{line(slot)}\n" for slot in range(15)))
    other = tmp_path / "elsewhere"
    shutil.copytree(bundle.path, other)
    found: list[Health] = []

    def switch(host: Host) -> None:
        host.switch("main", other)
        with (tmp_path / "lines").open("a") as file:
            file.writelines(f"{line(slot)}\n" for slot in range(15, 20))

    def look(host: Host) -> None:
        found.append(host.health("main"))
        end(host)

    part = Conductor(
        (),
        [
            (lambda host: host.health("main").verdicts == 15, switch),
            (lambda host: host.health("main").verdicts == 5, look),
        ],
    )
    Agent(path, read_settings(path), [part]).run()

    health = found[0]
    assert (health.bundle, health.verdicts, health.scored, health.not_finite, health.failures) == ("pump/1", 5, 5, 0, 0)
    assert health.newest_ms is not None
    assert health.newest_ms % INTERVAL_MS == 0


@pytest.mark.usefixtures("_signals")
def test_a_bundle_that_may_not_be_trusted_does_not_take_charge(
    tmp_path: Path, broker: Broker, make_bundle: MakeBundle
) -> None:
    bundle = make_bundle(streams=("a",))
    path = configured(tmp_path, broker, "bad", bundle.path.parents[1])
    (tmp_path / "lines").write_text("".join(f"{line(slot)}\n" for slot in range(5)))
    broken = tmp_path / "broken"
    shutil.copytree(bundle.path, broken)
    (broken / "golden.npz").write_bytes(b"nothing")
    said: list[str] = []

    def switch(host: Host) -> None:
        for monitor, folder in (("main", broken), ("other", bundle.path)):
            try:
                host.switch(monitor, folder)
            except (BundleError, ConfigError) as error:
                said.append(str(error))
        end(host)

    part = Conductor((), [(lambda host: host.health("main").verdicts == 5, switch)])
    Agent(path, read_settings(path), [part]).run()

    assert "golden.npz: expected" in said[0]
    assert said[1] == "monitor: expected one of main, got 'other'"
