"""What the tests of the edge share."""

from tests.system.conftest import broker, world

__all__ = ["broker", "world"]
