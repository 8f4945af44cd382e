import sqlite3
from pathlib import Path

import pytest

from edge.inbox import Inbox
from service.configuration import read_settings
from service.counters import Counters
from service.operation.standing import Standing
from service.pipeline.monitor import Monitor
from service.reload import reload
from service.reload.change import Change
from service.settings import Settings
from tests.service.conftest import MakeMonitor
from tests.system.conftest import wait_until


def test_a_change_that_a_locked_database_held_up_comes_into_force_later(
    tmp_path: Path, make_monitor: MakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "_POLL_S", 0.05)
    config = tmp_path / "foresense.yaml"
    config.write_text("monitors: {main: {topic: 'plant/{device}/{channel}', bundle: pump}}\n")
    old, new = make_monitor(), make_monitor(bundle={"version": "2"})
    locked, adopted, told = [sqlite3.OperationalError("database is locked")], list[Change](), list[str | None]()
    standing = Standing(Counters(), Inbox())

    def open_(_settings: Settings) -> tuple[list[Monitor], list[str]]:
        return [new], []

    def adopt(change: Change) -> bool:
        if locked:
            raise locked.pop()
        told.append(standing.refused)
        adopted.append(change)
        return True

    monkeypatch.setattr(reload, "may_warm", lambda _old, _new: False)
    reloader = reload.Reloader(config, read_settings(config), [old], open_, adopt, standing)
    reloader.start()
    try:
        reloader.ask()
        wait_until(lambda: bool(adopted), "it is tried again")
        wait_until(lambda: standing.refused is None, "nothing is refused any more")
    finally:
        reloader.stop(5)
    assert list(adopted[0].monitors) == [new]
    assert told == ["database is locked; trying again"]
