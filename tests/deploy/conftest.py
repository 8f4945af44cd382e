"""What the tests of deploy/ share: docker-compose.yml, and what its services are given."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

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
