"""What the tests of deploy/ share: a machine that may be changed; docker-compose.yml, and what its services get."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge.bundle import Bundle
from models.bundling import train_bundle
from tests.deploy.device import Device
from tests.models.conftest import BRIEF, TINY, recording
from tests.system.conftest import Broker

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def make_secrets(folder: Path) -> Path:
    """Run the script that makes the secrets, and return their folder."""
    subprocess.run(["sh", ROOT / "deploy/secrets/make.sh", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_secrets(tmp_path_factory.mktemp("secrets") / "made")


def broker_of(folder: Path, secrets: Path) -> Broker:
    """Return a mosquitto with the configuration, the rights and the certificates that it has in its container."""
    text = (ROOT / "deploy/mosquitto/tls.conf").read_text()
    places = {"certs": secrets, "data": folder, "config": ROOT / "deploy/mosquitto"}
    for place, here in places.items():
        text = text.replace(f"/mosquitto/{place}/", f"{here}/")
    return Broker(folder, re.sub(r"^listener \d+$", "listener {port} 127.0.0.1", text, flags=re.MULTILINE))


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
