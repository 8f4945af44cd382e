"""What the tests of the service share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.runtime import open_runtime
from service.inbox import Message
from service.monitor import Monitor
from service.settings import MonitorSettings
from tests.conftest import MakeBundle
from tests.system.conftest import broker, own_broker, world

__all__ = ["broker", "own_broker", "world"]

MakeMonitor = Callable[..., Monitor]
RECEIVED_MS = 1_700_000_000_000


def message(topic: str = "plant/a/value", payload: bytes = b"1", at_ms: int = RECEIVED_MS, **other: Any) -> Message:
    return Message(
        **({"epoch": 0, "mid": 1, "qos": 1, "retain": False} | other), topic=topic, payload=payload, received_ms=at_ms
    )


@pytest.fixture
def make_monitor(make_bundle: MakeBundle) -> MakeMonitor:
    """Return a maker of monitors named main with a bundle that expects the last value."""

    def make(topic: str = "plant/{device}/{channel}", bundle: dict[str, Any] | None = None, **settings: Any) -> Monitor:
        made = make_bundle(**({"streams": ("a",)} | (bundle or {})))
        wanted = MonitorSettings(topic=topic, bundle=made.manifest.name, **settings)
        return Monitor("main", wanted, made, open_runtime(made.files))

    return make


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "foresense.db"
