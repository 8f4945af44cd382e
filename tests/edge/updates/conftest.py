"""Fixtures of the tests of updates."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge.updates.fleet import DeviceProcess, Operator
from tests.system.conftest import Broker, World
from tests.system.conftest import broker as broker

MakeDevice = Callable[..., DeviceProcess]


@pytest.fixture
def operator(tmp_path: Path, broker: Broker, request: pytest.FixtureRequest) -> Operator:
    """Return an operator whose topics are the test's own."""
    return Operator(tmp_path / "operator", broker, f"u{os.getpid()}-{abs(hash(request.node.name)) % 10**8}")


@pytest.fixture
def world(operator: Operator) -> Iterator[World]:
    """Return a client that hears all that is said between operator and devices."""
    client = World(operator.broker)
    client.listen(f"{operator.prefix}/#")
    yield client
    client.close()


@pytest.fixture
def make_device(operator: Operator) -> Iterator[MakeDevice]:
    """Return a maker of devices that run; they are killed in the end."""
    made: list[DeviceProcess] = []

    def make(name: str = "pi-1", start: bool = True, **settings: Any) -> DeviceProcess:
        made.append(DeviceProcess(operator, name, **settings))
        if start:
            made[-1].start()
        return made[-1]

    yield make
    for device in made:
        if device.is_running():
            device.kill()
