"""What tests of installers share: a machine that may be changed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.bundle import Bundle
from models.bundling import train_bundle
from tests.deploy.device import Device
from tests.models.conftest import BRIEF, TINY, recording


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    if os.geteuid() != 0:
        pytest.skip("needs root, for mounts of its own")
    device = Device(tmp_path / "layers")
    yield device
    device.stop()


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Return a bundle for what a board says of itself."""
    learnt = recording("pi/board", ("temperature", "cpu"))
    return train_bundle([learnt], TINY, BRIEF, name="board", out=tmp_path_factory.mktemp("board"))
