"""What operators do with a running service, with the real commands and a real broker."""

import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import yaml

from tests.conftest import MakeBundle
from tests.system.conftest import Broker, MakePlant, Plant, World, wait_until
from tests.system.test_service import monitor, recording

FORESENSE = str(Path(sys.executable).with_name("foresense"))
PUMPS = tuple(f"north/pump-{number}" for number in range(5))


def order(plant: Plant, command: str, *arguments: str) -> str:
    """Run one command on the configuration of a plant and return what it says."""
    done = subprocess.run([FORESENSE, command, plant.config, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.slow
def test_operators_hear_of_many_pumps_once_and_of_maintained_and_muted_ones_not_at_all(
    broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle
) -> None:
    bundles = make_bundle(streams=PUMPS).path.parents[1]
    plant = make_plant(broker, "shift", bundles, {"main": monitor("shift", site="works/1")})
    settings = yaml.safe_load(plant.config.read_text())
    settings["maintenance"] = [{"cron": "0 22 * * TUE", "duration": "1h", "streams": ["*/pump-0"]}]
    plant.config.write_text(yaml.safe_dump(settings))
    world.listen(f"{plant.prefix}/#")
    plant.start()
    world.wait_for(plant.availability, b"online")

    each = [recording(f"shift/{pump}/value") for pump in PUMPS]  # a Tuesday, 22:13 UTC
    messages = list(chain.from_iterable(zip(*each, strict=True)))
    world.publish(messages[: 10 * len(PUMPS)])
    wait_until(lambda: plant.count("verdict") == 10 * len(PUMPS), "the first verdicts")
    assert "1 stream so far" in order(plant, "mute", "main/*-1", "--for", "1h", "--reason", "cleaning")
    world.publish(messages[10 * len(PUMPS) :])

    told = world.hear(f"{plant.prefix}/works/1/incident", 2)
    assert (told[0]["state"], told[-1]["state"]) == ("opened", "closed")
    assert [each["stream"] for each in told[-1]["members"]] == list(PUMPS[2:])
    wait_until(lambda: plant.count("outbox") == 0, "all is delivered")
    select = "SELECT name, suppressed FROM alarm JOIN stream ON stream.id = stream WHERE raised IS NULL ORDER BY name"
    (first, maintained), (second, muted) = plant.query(select)
    assert (first, maintained) == (PUMPS[0], "maintenance: 0 22 * * TUE for 1h")
    assert (second, muted.partition(": ")[2]) == (PUMPS[1], "cleaning")

    alarm = told[0]["members"][0]["id"]
    said = order(plant, "label", alarm, "false", "--note", "a test")
    assert said == f"alarm {alarm} of main/{PUMPS[2]}: a false alarm\n"
    assert order(plant, "mutes").startswith("main/*-1 until ")
    order(plant, "unmute", "main/*-1")
    assert plant.count("label") == 1
    assert plant.count("mute") == 0
    assert plant.end() == 0
