"""The whole service within this process, with a real broker."""

import sqlite3
import threading
from pathlib import Path

import pytest
import yaml

from edge.errors import ForesenseError
from service.app import build
from service.store import SCHEMA_VERSION
from tests.conftest import MakeBundle
from tests.system.conftest import Broker, World, wait_until


def configured(tmp_path: Path, broker: Broker, name: str) -> Path:
    path = tmp_path / "foresense.yaml"
    settings = {
        "broker": {"host": "127.0.0.1", "port": broker.port, "client_id": name},
        "publish": {"prefix": f"own-{name}"},
        "ballast_mb": 1,
        "monitors": {"main": {"topic": f"{name}/{{device}}/{{channel}}", "bundle": "pump"}},
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def test_it_starts_counts_all_it_receives_and_leaves_no_thread(
    tmp_path: Path, broker: Broker, world: World, make_bundle: MakeBundle
) -> None:
    make_bundle()
    threads = threading.active_count()
    service = build(configured(tmp_path, broker, "whole"))
    service.start()
    assert service.ready.wait(10)

    world.publish((f"whole/a{number % 7}/value", str(number)) for number in range(500))
    world.publish([("whole/a/value", "warm")])
    wait_until(lambda: service.counters.received == 501 and service.inbox.in_flight == 0, "all is done")
    service.stop()

    assert (service.counters.committed, service.counters.rejected) == (500, 1)
    assert service.counters.readings == 500
    assert service.counters.balanced(service.inbox.in_flight)
    wait_until(lambda: threading.active_count() == threads, "all threads have ended")


def test_a_database_that_is_damaged_stops_the_start_with_a_sentence(
    tmp_path: Path, broker: Broker, make_bundle: MakeBundle
) -> None:
    make_bundle()
    db = sqlite3.connect(tmp_path / "foresense.db")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.close()
    service = build(configured(tmp_path, broker, "damaged"))
    with pytest.raises(ForesenseError, match="expected a database that can be read, got: no such table"):
        service.start()
    service.close()


def test_a_calendar_that_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, broker: Broker, make_bundle: MakeBundle
) -> None:
    make_bundle()
    path = configured(tmp_path, broker, "calendar")
    path.write_text(path.read_text() + "maintenance: [{ics: plant.ics}]\n")
    with pytest.raises(ForesenseError, match=r"foresense.yaml: maintenance: .*plant.ics: expected a calendar file"):
        build(path)


def test_a_configuration_that_cannot_be_served_is_refused_before_anything_is_opened(
    tmp_path: Path, broker: Broker
) -> None:
    with pytest.raises(ForesenseError, match="expected a bundle 'pump'"):
        build(configured(tmp_path, broker, "none"))
    assert [path.name for path in tmp_path.iterdir()] == ["foresense.yaml"]
