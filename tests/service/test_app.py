"""The whole service within this process, with a real broker."""

import json
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from edge.errors import ForesenseError
from edge.messages.stamp import iso
from service.app import build
from service.pipeline.writer import BATCH
from service.storage.store import SCHEMA_VERSION
from tests.conftest import INTERVAL_MS, START_MS, MakeBundle
from tests.service.conftest import message
from tests.service.relays.conftest import Receiver, receiver
from tests.system.conftest import Broker, World, wait_until

__all__ = ["receiver"]


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


def test_an_alarm_is_at_a_webhook_as_soon_as_it_is_committed(
    tmp_path: Path, broker: Broker, world: World, make_bundle: MakeBundle, receiver: Receiver
) -> None:
    devices = [f"a{number}" for number in range(8)]
    make_bundle(streams=tuple(devices))
    (tmp_path / "secret").write_text("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\n")
    path = configured(tmp_path, broker, "prompt")
    settings = yaml.safe_load(path.read_text())
    settings["monitors"]["main"] |= {"payload": "json", "time": "ts"}
    settings["sinks"] = {"pager": {"webhook": {"url": receiver.url, "secret_file": "secret", "events": ["alarms"]}}}
    path.write_text(yaml.safe_dump(settings))
    service = build(path)
    service.start()
    assert service.ready.wait(10)

    def send(device: str, slots: range, value: float) -> None:
        times = [START_MS // INTERVAL_MS * INTERVAL_MS + slot * INTERVAL_MS for slot in slots]
        bodies = [json.dumps({"ts": time_ms, "value": value}) for time_ms in times]
        world.publish((f"prompt/{device}/value", body) for body in bodies)

    waits = []
    for number, device in enumerate(devices, 1):
        send(device, range(20), 0.1)
        began = time.monotonic()
        send(device, range(20, 22), 100.0)
        wait_until(lambda number=number: len(receiver.taken) == number, "the webhook is told")  # type: ignore[misc]
        waits.append(time.monotonic() - began)
    service.stop()
    assert sum(waits) / len(waits) < 0.3  # looked for once a second it would be 0.5
    assert len({request.headers["webhook-id"] for request in receiver.taken}) == len(devices)


def test_with_a_backlog_verdicts_are_stored_but_not_published_until_it_is_gone(
    tmp_path: Path, broker: Broker, world: World, make_bundle: MakeBundle
) -> None:
    make_bundle()
    service = build(configured(tmp_path, broker, "behind"))
    devices, told = 50, "own-behind/a0/verdict"
    world.listen(told)
    slots = [
        message(f"behind/a{number % devices}/value", at_ms=START_MS + number // devices * INTERVAL_MS, qos=0)
        for number in range(BATCH + 2000)
    ]
    service.start()
    assert service.ready.wait(10)
    with closing(sqlite3.connect(tmp_path / "foresense.db", isolation_level=None)) as other:
        service.inbox.put(slots[:1], 1)
        world.hear(told)
        other.execute("BEGIN IMMEDIATE")
        service.inbox.put(slots[1:], 1)
        wait_until(lambda: service.counters.retries > 0, "the writer waits")
        other.execute("ROLLBACK")
        wait_until(lambda: service.inbox.in_flight == 0, "all is done")
        last = iso(slots[-1].received_ms // INTERVAL_MS * INTERVAL_MS)
        wait_until(lambda: world.hear(told)[-1]["time"] == last, "the last verdict is heard")
        assert other.execute("SELECT count(*) FROM verdict").fetchone() == (len(slots),)
    service.stop()
    assert len(world.hear(told)) < (len(slots) - 2000) / devices
