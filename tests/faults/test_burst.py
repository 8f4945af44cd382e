"""Ten times the usual rate for a while: memory stays bounded, nothing is lost, and the rest is worked off."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
import yaml

from edge.inbox import MOST_BYTES, MOST_MESSAGES
from tests.faults.conftest import AFTER, BEFORE, FIRST, INTERVAL_MS, PAUSE, SLOTS, STREAMS, Outcome, Site
from tests.system.conftest import World, wait_until

pytestmark = pytest.mark.slow

LONG_ALONE = [pytest.mark.alone, pytest.mark.timeout(600)]
USUAL_PER_S = 200
LATENCY_S = 10.0  #: within which a reading's slot has its verdict, on a busy machine
MOST_MORE = MOST_BYTES + 64 * 1024 * 1024  #: bytes that a burst may take: a full inbox, and what one batch needs


def resident(pid: int) -> int:
    """Return how many bytes of memory a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def flood(per_s: int, seconds: float, begin: int, world: World) -> int:
    """Publish readings of all streams at a rate for a time, and return the number of the next reading."""
    number, until = begin, time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        messages: list[tuple[str, bytes | str]] = []
        for _ in range(per_s // 10):
            at = FIRST + number // len(STREAMS) * INTERVAL_MS // 2
            messages.append((f"plant/{STREAMS[number % len(STREAMS)]}/value", json.dumps({"ts": at, "value": 0.5})))
            number += 1
        world.publish(messages)
        time.sleep(max(0.1 - (time.monotonic() - began), 0))
    return number


@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=LONG_ALONE)])
def test_a_burst_of_ten_times_the_rate_stays_within_bounds_and_is_worked_off(seconds: int, site: Site) -> None:
    devices = World(site.broker)
    site.start()
    number = flood(USUAL_PER_S, 3, 0, devices)
    before = resident(site.plant.pid)
    number = flood(10 * USUAL_PER_S, seconds, number, devices)
    most = resident(site.plant.pid)
    slots = number // (2 * len(STREAMS)) - 1
    stored = f"SELECT count(*) FROM verdict WHERE time < {FIRST + slots * INTERVAL_MS}"  # noqa: S608
    wait_until(lambda: site.plant.query(stored) == [(slots * len(STREAMS),)], "the burst is worked off", 60)
    most = max(most, resident(site.plant.pid))
    devices.close()
    assert site.plant.end() == 0
    count = site.assert_balanced()
    assert count["fed"] - count["duplicate"] == number
    assert most - before < MOST_MORE


@pytest.mark.parametrize("topics", [20_000, pytest.param(100_000, marks=LONG_ALONE)])
def test_new_topics_beyond_the_cap_are_rejected_and_the_known_ones_do_not_wait_for_them(
    topics: int, site: Site, reference: Outcome
) -> None:
    main = yaml.safe_load(site.plant.config.read_text())["monitors"]["main"]
    site.plant.configure(monitors={"main": main | {"max_streams": len(STREAMS)}})
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    before = resident(site.plant.pid)
    strangers, reading = World(site.broker), json.dumps({"ts": FIRST, "value": 1})

    def introduce() -> None:
        for first in range(0, topics, 10_000):  # a client has 65,535 numbers for what is not yet acknowledged
            numbers = range(first, first + 10_000)
            strangers.publish([(f"plant/north/stranger-{number}/value", reading) for number in numbers], patience_s=60)

    crowd = Thread(target=introduce)
    crowd.start()
    for slot in AFTER:
        site.publish(range(slot, slot + 1))
        site.wait_for_slots(slot, LATENCY_S)
    crowd.join()
    wait_until(lambda: site.plant.query("SELECT max(id) FROM dead_letter") == [(topics,)], "all are rejected", 120)
    site.settle()
    strangers.close()
    assert Outcome.of(site.plant, SLOTS) == reference
    assert resident(site.plant.pid) - before < MOST_MORE
    assert site.plant.end() == 0
    assert site.assert_balanced()["rejected"] == topics


def test_more_than_the_inbox_holds_while_nothing_can_be_committed_waits_at_the_broker(site: Site) -> None:
    devices = World(site.broker)
    site.start()
    number = flood(USUAL_PER_S, 1, 0, devices)
    wait_until(lambda: site.plant.count("verdict") > 0, "a verdict")
    before = resident(site.plant.pid)
    with closing(sqlite3.connect(site.plant.database, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        filler = json.dumps({"ts": FIRST, "value": 1, "filler": "x" * 200_000})  # the inbox is full by bytes first
        devices.publish([(f"plant/{STREAMS[0]}/value", filler)] * 600)
        time.sleep(3)
        most = resident(site.plant.pid)
    number = flood(USUAL_PER_S, 1, number, devices)
    slots = number // (2 * len(STREAMS)) - 1
    stored = f"SELECT count(*) FROM verdict WHERE time < {FIRST + slots * INTERVAL_MS}"  # noqa: S608
    wait_until(lambda: site.plant.query(stored) == [(slots * len(STREAMS),)], "all is worked off", 60)
    devices.close()
    assert site.plant.end() == 0
    count = site.assert_balanced()
    assert count["fed"] - count["duplicate"] == number
    assert most - before < MOST_MORE
    assert MOST_MESSAGES > 600 > MOST_BYTES // 200_000
