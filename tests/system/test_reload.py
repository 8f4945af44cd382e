"""The real command while its configuration and its bundles change."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import MakeBundle
from tests.system.conftest import Broker, MakePlant, Plant, World, wait_until
from tests.system.test_service import monitor, reading, recording


class Changing:
    """A service whose configuration a test changes."""

    def __init__(self, plant: Plant, world: World) -> None:
        self.plant, self._world = plant, world
        world.listen(f"{plant.prefix}/#")
        plant.start()
        world.wait_for(plant.availability, b"online")
        self.pid = plant.pid

    def change(self, monitors: dict[str, Any], **more: Any) -> None:
        """Write the configuration anew and have it read."""
        self.write(monitors, **more)
        self.plant.hup()

    def write(self, monitors: dict[str, Any], **more: Any) -> None:
        settings = yaml.safe_load(self.plant.config.read_text()) | {"monitors": monitors} | more
        self.plant.config.write_text(yaml.safe_dump(settings))

    def wait_for(self, said: str, times: int = 1) -> None:
        wait_until(lambda: self.plant.log.read_text().count(said) >= times, said)
        assert self.plant.pid == self.pid

    def states(self) -> dict[str, str]:
        query = "SELECT monitor || '/' || name, bundle FROM state JOIN stream ON stream.id = stream ORDER BY 1"
        return dict(self.plant.query(query))


@pytest.fixture
def bundles(make_bundle: MakeBundle) -> Path:
    return make_bundle(streams=("north/pump-1", "north/fan-1")).path.parents[1]


def test_monitors_come_and_go_and_the_others_are_not_disturbed(
    broker: Broker, world: World, make_plant: MakePlant, bundles: Path
) -> None:
    pumps, fans = monitor("comes"), monitor("goes")
    service = Changing(make_plant(broker, "coming", bundles, {"pumps": pumps}), world)
    world.publish(recording("comes/north/pump-1/value")[:22])

    service.change({"pumps": pumps, "fans": fans})
    service.wait_for("in force now: fans with bundle pump/1")
    service.wait_for("ready: subscribed to goes/+/+/+")
    world.publish(recording("goes/north/fan-1/value"))
    world.publish(recording("comes/north/pump-1/value")[22:])
    world.hear(f"{service.plant.prefix}/north/fan-1/alarm", 2)
    opened, closed = world.hear(f"{service.plant.prefix}/north/pump-1/alarm", 2)
    assert opened["id"] == closed["id"]

    service.change({"pumps": pumps})
    service.wait_for("in force now: fans no more")
    world.publish([("goes/north/fan-1/value", reading(30, 0.1))] * 5)
    world.publish([("comes/north/pump-1/value", reading(30, 0.1))])
    wait_until(lambda: service.plant.count("verdict") > 60, "the pump goes on")
    assert service.plant.end() == 0
    assert service.plant.count("dead_letter") == 0
    assert "begin anew" not in service.plant.log.read_text()


def test_a_monitor_that_is_removed_while_nothing_runs_is_not_heard_of_again(
    broker: Broker, world: World, make_plant: MakePlant, bundles: Path
) -> None:
    pumps, fans = monitor("stays"), monitor("leaves")
    service = Changing(make_plant(broker, "leaving", bundles, {"pumps": pumps, "fans": fans}), world)
    assert service.plant.end() == 0
    world.wait_for(service.plant.availability, b"offline")
    service.write({"pumps": pumps})

    service.plant.start()
    world.wait_for(service.plant.availability, b"online")
    world.publish([("leaves/north/fan-1/value", reading(30, 0.1))] * 5)
    world.publish([("stays/north/pump-1/value", reading(30, 0.1))])
    wait_until(lambda: service.plant.count("verdict") > 0, "the other goes on")
    wait_until(lambda: service.plant.count("subscription") == 1, "what was left is forgotten")
    assert service.plant.end() == 0
    assert "messages: 1 received, 1 committed" in service.plant.log.read_text()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"monitors": {"pumps": {"topic": "refused/+"}}}, "monitors.pumps.bundle: expected a value, got nothing"),
        ({"monitors": {"pumps": monitor("refused", bundle="none")}}, "expected a bundle 'none'"),
        ({"database": "other.db"}, "database: expected no change while the service runs, got one: restart it"),
    ],
)
def test_a_bad_configuration_is_refused_and_the_old_one_goes_on(
    change: dict[str, Any], reason: str, broker: Broker, world: World, make_plant: MakePlant, bundles: Path
) -> None:
    service = Changing(make_plant(broker, "refusing", bundles, {"pumps": monitor("refused")}), world)
    good = service.plant.config.read_text()
    service.change(**({"monitors": {"pumps": monitor("refused")}} | change))
    service.wait_for("a change is refused, and what was in force goes on: ")
    assert reason in service.plant.log.read_text()
    world.publish(recording("refused/north/pump-1/value"))
    world.hear(f"{service.plant.prefix}/north/pump-1/alarm", 2)

    service.plant.config.write_text(good)
    service.plant.hup()
    service.wait_for("nothing has changed")
    assert service.plant.end() == 0


@pytest.mark.slow
def test_a_new_bundle_takes_over_with_warm_streams_and_a_bad_one_does_not(
    broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle, bundles: Path
) -> None:
    service = Changing(make_plant(broker, "newer", bundles, {"pumps": monitor("newer")}), world)
    messages = recording("newer/north/pump-1/value")
    world.publish(messages[:22])  # its alarm is open
    world.hear(f"{service.plant.prefix}/north/pump-1/alarm", 1)

    shutil.copytree(bundles / "pump" / "1", bundles / "pump" / "2")
    (bundles / "pump" / "2" / "step.onnx").write_bytes(b"changed")
    service.wait_for("a change is refused, and what was in force goes on: ")
    assert "step.onnx: expected" in service.plant.log.read_text()
    assert service.states() == {"pumps/north/pump-1": "pump/1"}

    shutil.rmtree(bundles / "pump" / "2")
    make_bundle(streams=("north/pump-1",), version="3")
    service.wait_for("in force now: pumps with bundle pump/3")
    assert service.states() == {"pumps/north/pump-1": "pump/3"}
    world.publish(messages[22:])
    opened, closed = world.hear(f"{service.plant.prefix}/north/pump-1/alarm", 2)
    assert (opened["id"], closed["state"]) == (closed["id"], "closed")
    assert service.plant.end() == 0
    assert service.plant.query("SELECT count(*), sum(status = 0) FROM verdict") == [(30, 4)]
