"""What the tests of the service share."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.inbox import Inbox, Message
from edge.runtimes import open_runtime
from service.counters import Counters
from service.pipeline.monitor import Monitor
from service.pipeline.transaction import Scored
from service.pipeline.writer import Writer
from service.settings import IncidentSettings, MonitorSettings
from service.storage.history import HistorySettings
from service.storage.store import Store
from tests.conftest import INTERVAL_MS, START_MS, MakeBundle
from tests.system.conftest import broker, south, world

__all__ = ["broker", "south", "world"]

MakeMonitor = Callable[..., Monitor]
RECEIVED_MS = 1_700_000_000_000
FIRST = START_MS // INTERVAL_MS * INTERVAL_MS


def message(topic: str = "plant/a/value", payload: bytes = b"1", at_ms: int = RECEIVED_MS, **other: Any) -> Message:
    return Message(
        **({"epoch": 0, "mid": 1, "qos": 1, "retain": False} | other), topic=topic, payload=payload, received_ms=at_ms
    )


@pytest.fixture
def make_monitor(make_bundle: MakeBundle) -> MakeMonitor:
    """Return a maker of monitors with a bundle that expects the last value."""

    def make(
        topic: str = "plant/{device}/{channel}",
        bundle: dict[str, Any] | None = None,
        name: str = "main",
        **settings: Any,
    ) -> Monitor:
        made = make_bundle(**({"streams": ("a",)} | (bundle or {})))
        wanted = MonitorSettings(topic=topic, bundle=made.manifest.name, **settings)
        return Monitor(name, wanted, made, open_runtime(made.files))

    return make


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "foresense.db"


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    opened = Store(database)
    opened.open()
    yield opened
    opened.close()


class Bench:
    """A writer with all that it needs, and what it acknowledged."""

    def __init__(
        self,
        database: Path,
        *monitors: Monitor,
        incident: IncidentSettings | None = None,
        history: HistorySettings | None = None,
    ) -> None:
        self.database = database
        self.store = Store(database)
        self.inbox = Inbox()
        self.counters = Counters()
        self.acknowledged: list[Message] = []
        self.scored: list[Scored] = []
        self.writer = Writer(
            self.store, monitors, self.inbox, self.counters, self._committed, incident, history=history
        )

    def start(self) -> None:
        self.store.open()
        self.writer.start()

    def take(self, messages: Sequence[Message]) -> None:
        self.counters.received += self.inbox.put(messages, 1)

    def stop(self) -> None:
        self.inbox.close()
        self.writer.stop(5)
        self.store.close()

    def query(self, sql: str) -> list[tuple[object, ...]]:
        db = sqlite3.connect(self.database)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def told(self, kind: str = "alarm") -> list[dict[str, Any]]:
        """Return the JSON of what is in the outbox."""
        return [json.loads(body) for body, its in self.query("SELECT body, kind FROM outbox") if its == kind]  # type: ignore[arg-type]

    def _committed(self, messages: Sequence[Message], scored: list[Scored]) -> None:
        self.acknowledged.extend(messages)
        self.scored.extend(scored)


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench(database: Path) -> Iterator[MakeBench]:
    made: list[Bench] = []

    def make(
        *monitors: Monitor, incident: IncidentSettings | None = None, history: HistorySettings | None = None
    ) -> Bench:
        made.append(Bench(database, *monitors, incident=incident, history=history))
        made[-1].start()
        return made[-1]

    yield make
    for bench in made:
        bench.stop()


def readings(slots: range, spikes: Sequence[int] = (), device: str = "a") -> list[Message]:
    return [
        message(
            f"plant/{device}/value",
            json.dumps(
                {"ts": FIRST + slot * INTERVAL_MS, "value": 100.0 if slot in spikes else slot % 3 / 10}
            ).encode(),
            at_ms=FIRST + slot * INTERVAL_MS,
            mid=slot + 1,
        )
        for slot in slots
    ]
