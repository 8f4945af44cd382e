"""What the tests of the device program share: the real command, with a configuration of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.conftest import Broker, Plant


class Device(Plant):
    """One `foresense edge run` with a configuration, a database and a prefix of its own."""

    command = ("edge", "run")

    def __init__(
        self, folder: Path, broker: Broker, name: str, bundles: Path, monitors: dict[str, Any], **more: Any
    ) -> None:
        connection = more.pop("connection", {})
        super().__init__(folder, broker, name, bundles, monitors, **connection)
        self.availability = f"{self.prefix}/{name}/availability"
        self.database = folder / "foresense-edge.db"
        settings = {
            "device": name,
            "broker": {"port": broker.port, "client_id": name, "keepalive": 5} | connection,
            "bundles": str(bundles),
            "publish": {"prefix": self.prefix},
            "monitors": monitors,
            "write_every": "1s",
        }
        self.config.write_text(yaml.safe_dump(settings | more))


MakeDevice = Callable[..., Device]


@pytest.fixture
def make_device(tmp_path: Path) -> Iterator[MakeDevice]:
    """Return a maker of devices; those still running are killed in the end."""
    made: list[Device] = []

    def make(broker: Broker, name: str, bundles: Path, monitors: dict[str, Any], **more: Any) -> Device:
        made.append(Device(tmp_path / name, broker, name, bundles, monitors, **more))
        return made[-1]

    yield make
    for device in made:
        device.kill()
