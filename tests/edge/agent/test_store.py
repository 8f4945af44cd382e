import sqlite3
from pathlib import Path

import pytest

from edge.agent.store import SCHEMA_VERSION, Row, SavedState, Store
from edge.errors import ConfigError
from edge.messages.alarm import Alarm

ALARM = Alarm("id", 0, "pump/1", "flow", 1, None, 2.5, 1.0, None, 0.0, 2.0, 3.0, 1, "flow")


def test_what_is_committed_is_there_after_it_is_opened_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "edge.db")
    store.open()
    with store.transaction():
        store.save_states([("main", "b", "pump/1", 4, b"1"), ("main", "a", "pump/1", 4, b"2")])
        store.save_states([("main", "b", "pump/2", 4, b"3")])
        store.save_alarms([(("main", "a"), ALARM), (("main", "b"), ALARM), (("main", "b"), None)])
        store.save_places([("lines", 7)])
        store.save_proven(["seal"])
        store.post([Row(3, "alarm", 1, b"x")])
    store.close()
    store.open()
    assert list(store.states("main").items()) == [
        ("b", SavedState("pump/2", 4, b"3")),
        ("a", SavedState("pump/1", 4, b"2")),
    ]
    assert store.alarms() == {("main", "a"): ALARM}
    assert store.places() == {"lines": 7}
    assert store.is_proven("seal")
    assert store.outbox() == (3, 1, 1)
    assert Store.look(tmp_path / "edge.db") == (2, 1, 1, 1)
    store.close()


def test_a_broken_database_is_put_aside_and_a_new_one_begun(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "edge.db"
    store = Store(path)
    store.open()
    with store.transaction():
        store.save_states([("main", str(k), "pump/1", 4, bytes(3000)) for k in range(50)])
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)
    store.open()
    assert store.states("main") == {}
    assert len(list(tmp_path.glob("edge.db.corrupt-*Z"))) == 1
    assert "is broken" in caplog.text
    store.close()


def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    store = Store(path)
    with pytest.raises(ConfigError, match="expected schema 1 or earlier, got 2"):
        store.open()
    store.close()
