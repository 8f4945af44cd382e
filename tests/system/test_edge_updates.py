"""`foresense edge run` and the operator's commands together: an update from the signature to the fleet view."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.edge.agent.conftest import Device, MakeDevice
from tests.edge.agent.conftest import make_device as make_device
from tests.edge.updates.fleet import COMMAND, Operator
from tests.system.conftest import Broker, World, wait_until

INTERVAL_MS = 1000


@pytest.fixture
def operator(tmp_path: Path, broker: Broker) -> Operator:
    made = Operator(tmp_path / "operator", broker, f"pi-{os.getpid()}-{time.monotonic_ns()}")
    made.make("1", interval_ms=INTERVAL_MS)
    return made


@pytest.fixture
def agent(operator: Operator, broker: Broker, tmp_path: Path, make_device: MakeDevice) -> Device:
    """Return a device that is to run version 1 of the pump on readings from the broker."""
    bundles = tmp_path / "bundles"
    shutil.copytree(operator.bundles / "pump" / "1", bundles / "pump" / "1")
    updates = {"keyring": str(operator.keyring), "healthy": "1s", "groups": ["hall-3"]}
    monitor = {"bundle": "pump", "topic": f"plant-{operator.prefix}/{{device}}/{{channel}}"}
    return make_device(broker, operator.prefix.removeprefix("foresense-"), bundles, {"main": monitor}, updates=updates)


@pytest.mark.slow
def test_a_device_is_updated_rolled_back_and_seen_in_the_fleet(operator: Operator, agent: Device, world: World) -> None:
    name, pump = agent.prefix.removeprefix("foresense-"), agent.database.parents[1] / "bundles" / "pump"
    agent.start()
    wait_until(lambda: operator.fleet() != [], "the device reports", 60)
    operator.make("2", interval_ms=INTERVAL_MS)
    command = [COMMAND, *operator.deploying("2", "hall-3")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as deploying:
        number = 0
        while deploying.poll() is None and number < 2000:  # a reading each 50 ms, of a new slot
            body = f"{number % 7}"
            world.publish([(f"plant-{operator.prefix}/pump-1/value", body)])
            number += 1
            time.sleep(0.05)
        assert deploying.stdout is not None
        said = deploying.stdout.read()
    assert deploying.returncode == 0, said + agent.log.read_text()
    assert f"{name}: COMMITTED" in said
    assert (pump / "current").readlink().name == "2"
    (row,) = operator.fleet()
    assert (row["device"], row["groups"], row["in_charge"], row["previous"]) == (name, ["hall-3"], "2", "1")
    assert row["lag_s"] is not None

    back = operator.roll_back("100%", "--json")
    assert (back.exit_code, json.loads(back.output)) == (0, {name: "ROLLED_BACK: version 1 is in charge"})
    assert (pump / "current").readlink().name == "1"
    assert agent.end() == 0


def test_a_device_with_a_keyring_runs_no_bundle_that_is_not_signed(agent: Device) -> None:
    (agent.database.parents[1] / "bundles" / "pump" / "1" / "signature.json").unlink()
    agent.start()
    assert agent.wait(60) == 2
    assert "expected a signed bundle, got one without signature.json" in agent.log.read_text()
