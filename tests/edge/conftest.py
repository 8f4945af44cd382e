"""What the tests of the edge share."""

from tests.system.conftest import broker, own_broker, world

__all__ = ["broker", "own_broker", "world"]
