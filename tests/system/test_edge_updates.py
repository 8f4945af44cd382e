"""`foresense edge run` and the operator's commands together: an update from the signature to the fleet view."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from service.cli import main
from tests.edge.updates.fleet import COMMAND, Operator
from tests.system.conftest import Broker, Program, World, wait_until

INTERVAL_MS = 1000


class Agent(Program):
    """A device that runs version 1 of the pump on readings from the broker."""

    def __init__(self, operator: Operator, broker: Broker) -> None:
        self.folder = operator.folder / "device"
        self.current = self.folder / "bundles" / "pump" / "current"
        self.log = self.folder / "log"
        self._config = self.folder / "edge.yaml"
        shutil.copytree(operator.bundles / "pump" / "1", self.folder / "bundles" / "pump" / "1")
        settings = {
            "device": "pi-7",
            "broker": {"port": broker.port},
            "publish": {"prefix": operator.prefix},
            "updates": {"keyring": str(operator.keyring), "healthy": "1s", "groups": ["hall-3"]},
            "monitors": {"main": {"bundle": "pump", "topic": f"plant-{operator.prefix}/{{device}}/{{channel}}"}},
        }
        self._config.write_text(yaml.safe_dump(settings))

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([COMMAND, "edge", "run", str(self._config)], stdout=log, stderr=log)


@pytest.fixture
def operator(tmp_path: Path, broker: Broker) -> Operator:
    made = Operator(tmp_path, broker, f"edge{os.getpid()}-{time.monotonic_ns()}")
    made.make("1", interval_ms=INTERVAL_MS)
    return made


@pytest.fixture
def agent(operator: Operator, broker: Broker) -> Iterator[Agent]:
    made = Agent(operator, broker)
    yield made
    made.kill()


def test_a_device_is_updated_rolled_back_and_seen_in_the_fleet(operator: Operator, agent: Agent, world: World) -> None:
    world.listen(f"{operator.prefix}/#")
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
    assert "pi-7: COMMITTED" in said
    assert agent.current.readlink().name == "2"
    (row,) = operator.fleet()
    assert (row["device"], row["groups"], row["in_charge"], row["previous"]) == ("pi-7", ["hall-3"], "2", "1")
    assert row["lag_s"] is not None

    where = ["--config", str(operator.config), "--minutes", "1", "--json"]
    back = CliRunner().invoke(main, ["rollback", "pump", "--to", "100%", *where])
    assert (back.exit_code, json.loads(back.output)) == (0, {"pi-7": "ROLLED_BACK: version 1 is in charge"})
    assert agent.current.readlink().name == "1"
    assert agent.end() == 0


def test_a_device_with_a_keyring_runs_no_bundle_that_is_not_signed(agent: Agent) -> None:
    (agent.folder / "bundles" / "pump" / "1" / "signature.json").unlink()
    agent.start()
    assert agent.wait(60) == 2
    assert "expected a signed bundle, got one without signature.json" in agent.log.read_text()
