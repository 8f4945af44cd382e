"""The real command with a hub that follows the rules of Home Assistant, at a real broker."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import MakeBundle
from tests.service.homeassistant.conftest import Hub, MakeHub, make_hub
from tests.system.conftest import Broker, MakePlant, Plant, World, wait_until
from tests.system.test_service import monitor, reading, recording

__all__ = ["make_hub"]
PUMP = "north/pump-1"
MakeHome = Callable[..., tuple[Hub, Plant]]


@pytest.fixture
def bundles(make_bundle: MakeBundle) -> Path:
    return make_bundle(streams=(PUMP,)).path.parents[1]


def settings(name: str, **more: Any) -> dict[str, Any]:
    own = {"enabled": True, "prefix": f"ha-{name}", "birth_topic": f"ha-{name}/status", "every_s": 1} | more
    return {"home_assistant": own}


@pytest.fixture
def make_home(broker: Broker, world: World, make_plant: MakePlant, make_hub: MakeHub, bundles: Path) -> MakeHome:
    """Return a maker of a hub and of a service that announces to it, both at work."""

    def make(name: str, monitors: dict[str, Any] | None = None, folder: Path = bundles) -> tuple[Hub, Plant]:
        hub = make_hub(broker, f"ha-{name}")
        plant = make_plant(broker, name, folder, monitors or {"pumps": monitor(name)}, settings=settings(name))
        world.listen(plant.availability)
        plant.start()
        world.wait_for(plant.availability, b"online")
        return hub, plant

    return make


def test_a_stream_becomes_a_device_whose_alarm_is_a_problem_at_once_and_can_be_called_false(
    world: World, make_home: MakeHome
) -> None:
    hub, plant = make_home("device")
    world.publish(recording(f"device/{PUMP}/value")[:22])

    hub.wait_for(PUMP, "Problem", "ON")
    assert hub.attributes(PUMP, "Problem")["channel"] == "value"
    assert hub.attributes(PUMP, "Problem")["explanation"]
    hub.wait_for(PUMP, "Score", lambda score: float(score) > 1)
    hub.wait_for(PUMP, "Expected value", lambda expected: expected != "unknown")
    assert hub.state(PUMP, "Bundle") == "pump/1"
    assert hub.state(PUMP, "Mute") == "OFF"

    hub.press(PUMP, "False alarm")
    wait_until(lambda: plant.query('SELECT "false", "by" FROM label') == [(1, "Home Assistant")], "it is labelled")
    world.publish(recording(f"device/{PUMP}/value")[22:])
    hub.wait_for(PUMP, "Problem", "OFF")
    assert hub.attributes(PUMP, "Problem") == {}


def test_the_switch_mutes_and_unmutes_and_shows_what_is_so(world: World, make_home: MakeHome) -> None:
    hub, plant = make_home("mute")
    world.publish(recording(f"mute/{PUMP}/value")[:15])
    hub.send(PUMP, "Mute", "ON")
    hub.wait_for(PUMP, "Mute", "ON")
    assert plant.query('SELECT monitor, stream, "by" FROM mute') == [("pumps", PUMP, "Home Assistant")]

    world.publish(recording(f"mute/{PUMP}/value")[15:22])
    wait_until(lambda: plant.count("alarm") == 1, "an alarm is found")
    assert hub.state(PUMP, "Problem") == "OFF"

    hub.send(PUMP, "Mute", "OFF")
    hub.wait_for(PUMP, "Mute", "OFF")
    assert plant.count("mute") == 0


@pytest.mark.slow
def test_a_hub_that_starts_anew_has_all_again_and_sees_that_the_service_was_killed(
    world: World, make_home: MakeHome
) -> None:
    hub, plant = make_home("birth")
    world.publish(recording(f"birth/{PUMP}/value")[:22])
    hub.wait_for(PUMP, "Problem", "ON")
    before = len(hub.announced)

    hub.restart()
    hub.wait_for(PUMP, "Problem", "ON")
    wait_until(lambda: len(hub.announced) == before + 2, "it is announced again, besides what is retained", 10)

    plant.end(signal.SIGKILL)
    hub.wait_for(PUMP, "Problem", "unavailable")
    plant.start()
    hub.wait_for(PUMP, "Problem", "ON")


@pytest.mark.slow
def test_devices_go_with_their_monitor_while_the_service_runs_and_while_it_does_not(
    broker: Broker, world: World, make_home: MakeHome
) -> None:
    monitors = {"pumps": monitor("gone"), "fans": monitor("gone-fans"), "silos": monitor("gone-silos")}
    hub, plant = make_home("gone", monitors)
    for name in ("gone", "gone-fans", "gone-silos"):
        world.publish(recording(f"{name}/{PUMP.replace('pump', name)}/value")[:5])
    pump, fan, silo = (f"north/{name}-1" for name in ("gone", "gone-fans", "gone-silos"))
    wait_until(lambda: hub.devices == {pump, fan, silo}, "all are announced")

    rewrite(plant, {"pumps": monitors["pumps"] | {"home_assistant": False}, "silos": monitors["silos"]})
    plant.hup()
    wait_until(lambda: hub.devices == {silo}, "one is not wanted, one is no more")

    assert plant.end() == 0
    rewrite(plant, {"pumps": monitors["pumps"]})
    plant.start()
    wait_until(lambda: hub.devices == {pump}, "one is back, one is no more")
    wait_until(lambda: plant.count("announced") == 1, "what is no more is forgotten")

    assert plant.end() == 0
    plant.configure(home_assistant={"enabled": False})
    plant.start()
    wait_until(lambda: hub.devices == set(), "it is not enabled any more")
    wait_until(lambda: plant.count("announced") == 0, "all is forgotten")
    assert retained(broker, ["ha-gone/#", f"{plant.prefix}/service/homeassistant/#"]) == []


def rewrite(plant: Plant, monitors: dict[str, Any]) -> None:
    plant.config.write_text(yaml.safe_dump(yaml.safe_load(plant.config.read_text()) | {"monitors": monitors}))


def retained(broker: Broker, filters: list[str]) -> list[tuple[str, bytes]]:
    """Return what the broker keeps beneath some topics."""
    late = World(broker)
    for each in filters:
        late.listen(each)
    late.publish([("late/last", "1")])
    late.listen("late/#")
    late.publish([("late/last", "2")])
    late.hear("late/last")
    late.close()
    return [heard for heard in late.heard if not heard[0].startswith("late/")]


def test_hostile_names_are_shown_as_they_are_and_are_in_no_id_topic_or_template(
    world: World, make_home: MakeHome, make_bundle: MakeBundle
) -> None:
    channels = ("<img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "ü'\"\\")
    bundles = make_bundle(channels=channels, version="2").path.parents[1]
    names = ["<img src=x>", "a'b\"c", "{{ states }}", "Größe-水", "x" * 300, "[a]*?"]
    own = {"topic": "hostile/{device}", "bundle": "pump", "payload": "json"}
    own["fields"] = {channel: str(place) for place, channel in enumerate(channels)}  # type: ignore[assignment]
    hub, _ = make_home("hostile", {"pumps": own}, bundles)
    world.publish((f"hostile/{name}", '{"0": 1, "1": 2, "2": 3}') for name in names)

    wait_until(lambda: hub.devices == {name[:200] for name in names}, "all are announced")
    assert {each.config["name"] for each in hub.entities.values() if each.device == names[0]} == {
        "Problem", "Score", "Bundle", "Mute", "False alarm", *(f"Expected {channel}" for channel in channels)
    }  # fmt: skip
    hub.send("[a]*?", "Mute", "ON")
    hub.wait_for("[a]*?", "Mute", "ON")
    assert [hub.state(name, "Mute") for name in names[:4]] == ["OFF"] * 4
    assert len({hub_id.split("_")[1] for hub_id in hub.entities}) == len(names)


def test_what_a_hub_sends_that_is_no_order_is_ignored(world: World, make_home: MakeHome) -> None:
    hub, plant = make_home("odd")
    world.publish(recording(f"odd/{PUMP}/value")[:5])
    hub.press(PUMP, "False alarm")  # there was no alarm
    hub.send(PUMP, "Mute", "OFF")  # it is not muted
    hub.send(PUMP, "Mute", "perhaps")
    for said in ("but there was none", "expected a mute of", "sends b'perhaps' for mute of pumps/north/pump-1"):
        wait_until(lambda said=said: said in plant.log.read_text(), said)  # type: ignore[misc]
    assert plant.count("label") == plant.count("mute") == 0
    assert plant.end() == 0


@pytest.mark.slow
def test_a_button_that_was_pressed_while_nobody_was_there_is_not_pressed_later(
    world: World, make_home: MakeHome
) -> None:
    hub, plant = make_home("kept")
    world.publish(recording(f"kept/{PUMP}/value")[:5])
    hub.entity(PUMP, "Mute")
    assert plant.end() == 0
    hub.send(PUMP, "Mute", "ON", retain=True)
    plant.start()
    hub.wait_for(PUMP, "Mute", "OFF")
    hub.send(PUMP, "Mute", "ON")
    hub.wait_for(PUMP, "Mute", "ON")
    assert plant.count("mute") == 1


@pytest.mark.slow
@pytest.mark.alone
def test_ten_thousand_streams_are_announced_while_readings_go_on_being_committed(
    world: World, make_home: MakeHome
) -> None:
    _, plant = make_home("many")
    began = time.monotonic()
    world.publish((f"many/north/p{number}/value", reading(0, 1.0)) for number in range(10_000))
    wait_until(lambda: plant.count("stream") == 10_000, "all streams are there", 60)
    waits: list[float] = []
    while (known := plant.count("announced")) < 10_000 or len(waits) < 10:
        assert time.monotonic() - began < 120, f"{known} announced"
        slot, at = len(waits) + 1, time.monotonic()
        world.publish([(f"many/north/p{number}/value", reading(slot, 1.0)) for number in range(20)])
        done = 10_000 + 20 * slot
        wait_until(lambda done=done: plant.count("verdict") == done, "the readings are committed")  # type: ignore[misc]
        waits.append(time.monotonic() - at)
        time.sleep(0.1)
    print(f"10,000 announced {time.monotonic() - began:.1f} s after the first reading; 20 readings committed within "
          f"{sorted(waits)[len(waits) // 2]:.2f} s, at most {max(waits):.2f} s, {len(waits)} times")  # fmt: skip
    assert sorted(waits)[len(waits) // 2] < 1
    plant.configure(home_assistant={"enabled": False})
    assert plant.end() == 0
    plant.start()
    wait_until(lambda: plant.count("announced") == 0, "all are taken back", 60)
