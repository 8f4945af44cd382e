"""The bridge within this process: what it does when much is to be told, and when things change beneath it."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.homeassistant.announced import Announced
from service.homeassistant.bridge import Bridge
from service.homeassistant.device import place_of
from service.pipeline.monitor import Monitor
from service.pipeline.transaction import Scored
from service.settings import Settings
from service.storage.store import Store
from tests.service.conftest import MakeMonitor
from tests.service.homeassistant.conftest import MakeHub
from tests.service.relays.conftest import verdicts_of
from tests.system.conftest import Broker, World, wait_until

MakeBridge = Callable[..., Bridge]


@pytest.fixture
def make_bridge(store: Store, database: Path) -> Iterator[MakeBridge]:
    """Return a maker of bridges; what says that the service is there is said once by hand."""
    made: list[Bridge] = []
    assert store is not None

    def make(broker: Broker, world: World, name: str, monitors: Sequence[Monitor], **own: Any) -> Bridge:
        settings = Settings.model_validate(
            {
                "broker": {"host": "127.0.0.1", "port": broker.port, "client_id": name},
                "database": database,
                "publish": {"prefix": name},
                "monitors": {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump"}},
                "home_assistant": {"enabled": True, "prefix": f"ha-{name}", "birth_topic": f"ha-{name}/status"} | own,
            }
        )
        world.publish([(f"{name}/service/availability", "online")], retain=True)
        made.append(Bridge(settings, monitors))
        made[-1].start()
        return made[-1]

    yield make
    for bridge in made:
        bridge.stop(5)
        assert bridge.is_alive is False


def add_streams(store: Store, *names: str) -> None:
    with store.transaction():
        store.add_streams("main", names)


def scored(names: list[str], score: float, channels: tuple[str, ...] = ("value",)) -> Scored:
    """Return a verdict on each stream."""
    said = verdicts_of(
        [1_700_000_000_000] * len(names),
        len(channels),
        stream=np.arange(len(names), dtype=np.int32),
        score=np.full(len(names), score, np.float32),
    )
    return Scored("main", "pump/1", names, list(channels), said)


def test_a_score_is_told_no_more_often_than_is_wanted(
    broker: Broker, world: World, store: Store, make_monitor: MakeMonitor, make_bridge: MakeBridge, make_hub: MakeHub
) -> None:
    hub, names = make_hub(broker, "ha-seldom"), ["a"]
    add_streams(store, *names)
    bridge = make_bridge(broker, world, "seldom", [make_monitor()], every_s=3)
    hub.wait_for("a", "Score", "unknown")
    began = time.monotonic()
    for number in range(60):
        bridge.offer([scored(names, number / 100)])
        time.sleep(0.1)
    topic = hub.entity("a", "Score").topic("state_topic")
    assert topic is not None
    passed = time.monotonic() - began
    hub.wait_for("a", "Score", lambda score: float(score) > 0.25)
    assert hub.counts[topic] <= 2 + passed / 3


def test_a_channel_that_a_new_bundle_does_not_have_is_taken_back_and_the_others_stay(
    broker: Broker, world: World, store: Store, database: Path, make_monitor: MakeMonitor, make_bridge: MakeBridge,
    make_hub: MakeHub,
) -> None:  # fmt: skip
    hub = make_hub(broker, "ha-otherwise")
    add_streams(store, "a")
    monitor = make_monitor(bundle={"channels": ("flow", "level")})
    bridge = make_bridge(broker, world, "otherwise", [monitor])
    hub.wait_for("a", "Expected level", "unknown")

    bridge.follow([make_monitor(bundle={"channels": ("flow", "heat"), "version": "2"})])
    hub.wait_for("a", "Expected heat", "unknown")
    hub.wait_for("a", "Bundle", "pump/2")
    assert "Expected level" not in {entity.config["name"] for entity in hub.entities.values()}
    taken_back = [
        body for _, body in hub.announced if b'"%s":{"platform":"sensor"}' % place_of("level").encode() in body
    ]
    assert len(taken_back) == 1
    announced = Announced(database, "")

    def known() -> set[str]:
        announced.load()
        return {name for each in announced.known.values() for name in each.components}

    wait_until(lambda: place_of("heat") in known() and place_of("level") not in known(), "it is noted")


def test_all_is_announced_again_to_a_broker_that_has_forgotten_it(
    broker: Broker, store: Store, make_monitor: MakeMonitor, make_bridge: MakeBridge, make_hub: MakeHub
) -> None:
    own_world = World(broker)
    add_streams(store, "a")
    make_bridge(broker, own_world, "forgets", [make_monitor()])
    hub = make_hub(broker, "ha-forgets")
    hub.wait_for("a", "Problem", "OFF")
    hub.stop()
    broker.stop()
    broker.forget()
    broker.start()
    own_world.publish([("forgets/service/availability", "online")], retain=True)
    hub.start()
    hub.wait_for("a", "Problem", "OFF")
    own_world.close()


def test_a_stream_that_is_removed_is_taken_back(
    broker: Broker, world: World, store: Store, make_monitor: MakeMonitor, make_bridge: MakeBridge, make_hub: MakeHub
) -> None:
    hub = make_hub(broker, "ha-removed")
    add_streams(store, "a", "b")
    make_bridge(broker, world, "removed", [make_monitor()])
    wait_until(lambda: hub.devices == {"a", "b"}, "both are announced")
    with store.transaction():
        store.db.execute("DELETE FROM stream WHERE name = 'a'")
    wait_until(lambda: hub.devices == {"b"}, "one is taken back")


def test_a_database_that_cannot_be_read_is_waited_for(
    broker: Broker, world: World, store: Store, database: Path, make_monitor: MakeMonitor, make_bridge: MakeBridge,
    make_hub: MakeHub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("service.homeassistant.bridge._TROUBLE_S", 0.1)
    hub = make_hub(broker, "ha-waits")
    make_bridge(broker, world, "waits", [make_monitor()])
    away = database.with_name("away")
    database.rename(away)
    wait_until(lambda: "Home Assistant cannot be told" in caplog.text, "it is said")
    away.rename(database)
    add_streams(store, "a")
    hub.wait_for("a", "Problem", "OFF")
