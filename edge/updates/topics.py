"""Topics of updates, beneath PREFIX/fleet/DEVICE.

| topic | who writes | what |
|---|---|---|
| `state` | the device, retained | its bundles and how far an update is; see report.py |
| `order/NAME` | the operator, retained | what is to become of bundle NAME, signed; see order.py |
| `request` | the device | asks for a part of a file; see chunk.py |
| `chunk` | the operator | a part of a file |
"""

import re
from dataclasses import dataclass

DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  #: name of a device, which is a level of a topic


@dataclass(frozen=True, slots=True)
class DeviceTopics:
    """The topics of one device."""

    prefix: str
    device: str

    @property
    def base(self) -> str:
        """Return what the device's topics begin with, without the last '/'."""
        return f"{self.prefix}/fleet/{self.device}"

    @property
    def state(self) -> str:
        """Return the topic of its state."""
        return f"{self.base}/state"

    @property
    def request(self) -> str:
        """Return the topic on which it asks."""
        return f"{self.base}/request"

    @property
    def chunk(self) -> str:
        """Return the topic on which it is answered."""
        return f"{self.base}/chunk"

    def order(self, bundle: str) -> str:
        """Return the topic of orders about a bundle; '+' for those of all."""
        return f"{self.base}/order/{bundle}"
