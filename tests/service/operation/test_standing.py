import json
import sys
from threading import Event, Thread

import msgspec
import numpy as np
import pytest

from edge.inbox import Inbox
from edge.payloads.rejects import Reason
from service.counters import Counters
from service.operation.standing import Standing
from tests.conftest import INTERVAL_MS
from tests.service.conftest import FIRST, MakeBench, MakeMonitor, readings
from tests.system.conftest import wait_until


def test_streams_are_counted_by_what_they_are(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    monitor = make_monitor(payload="json", time="ts", bundle={"streams": ("a", "b", "c")})
    bench = make_bench(monitor)
    bench.take([*readings(range(22), spikes=[20]), *readings(range(22), device="b"), *readings(range(2), device="c")])
    wait_until(lambda: len(bench.acknowledged) == 46, "all is committed")
    bench.stop()
    standing = Standing(bench.counters, bench.inbox)
    standing.look([monitor])

    (name, stands), *_ = standing.monitors.items()
    assert (name, stands.bundle) == ("main", "pump/1")
    assert stands.streams == {"learning": 1, "normal": 1, "alarm": 1, "silent": 0}
    assert stands.newest == FIRST + 21 * INTERVAL_MS
    assert stands.achieved is None, "the budget has not allowed an alarm yet"


def test_alarms_are_told_over_those_of_the_budget(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    slots = 60
    every = f"{360_000 // INTERVAL_MS} per hour"  # one in ten slots
    monitor = make_monitor(payload="json", time="ts", budget=every, bundle={"streams": ("a", "b")})
    bench = make_bench(monitor)
    bench.take([*readings(range(slots), spikes=[50]), *readings(range(slots), device="b")])
    wait_until(lambda: len(bench.acknowledged) == 2 * slots, "all is committed")
    bench.stop()
    standing = Standing(bench.counters, bench.inbox)
    standing.look([monitor])

    achieved = standing.monitors["main"].achieved
    assert achieved is not None
    assert bench.counters.alarms >= 1
    judged = monitor.engine.table.field("judged", np.arange(2, dtype=np.int32)).sum()
    assert achieved == pytest.approx(bench.counters.alarms / (judged / 10))


def test_a_monitor_without_streams_has_no_newest_reading(make_monitor: MakeMonitor) -> None:
    standing = Standing(Counters(), Inbox())
    standing.look([make_monitor()])
    assert standing.monitors["main"].newest is None
    assert sum(standing.monitors["main"].streams.values()) == 0


def test_it_tells_what_json_can_say() -> None:
    counters = Counters(received=3)
    counters.rejects[Reason.SYNTAX] += 2
    counters.undeliverable["history"] += 4
    standing = Standing(counters, Inbox(), brokers=lambda: {"north": True}, refused="no bundle")
    told = json.loads(msgspec.json.encode(standing.tell()))
    assert (told["service"], told["queue_messages"], told["queue_bytes"]) == ("foresense", 0, 0)
    assert (told["brokers"], told["refused"]) == ({"north": True}, "no bundle")
    assert told["counters"]["received"] == 3
    assert told["counters"]["rejects"] == {"syntax": 2}
    assert told["counters"]["undeliverable"] == {"history": 4}


def test_it_tells_while_the_writer_counts_things_that_are_new() -> None:
    counters, done = Counters(), Event()
    standing = Standing(counters, Inbox())

    def count() -> None:
        while not done.is_set():
            for number in range(5_000):
                counters.dropped[str(number)] += 1
            counters.dropped.clear()

    before, writer = sys.getswitchinterval(), Thread(target=count)
    sys.setswitchinterval(1e-6)
    writer.start()
    try:
        for _ in range(100):
            assert set(standing.facts()["counters"]["dropped"].values()) <= {1}
    finally:
        done.set()
        writer.join()
        sys.setswitchinterval(before)
