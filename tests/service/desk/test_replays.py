"""Dead letters put back into a writer with a real database."""

from pathlib import Path

import pytest

from edge.payloads.payload import LARGEST_PAYLOAD
from edge.payloads.rejects import Reason
from service.desk.dead_letters import DeadLetters, Which
from service.desk.replays import MOST_BYTES, MOST_MESSAGES, Replays
from service.storage.access import Access
from service.storage.store import DeadLetter, Store
from tests.service.conftest import RECEIVED_MS, MakeBench, MakeMonitor, message
from tests.system.conftest import wait_until


def test_letters_are_read_again_by_a_service_that_runs_at_the_time_they_came(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    narrow, wide = make_monitor(max_streams=1), make_monitor(max_streams=3, bundle={"version": "2"})
    bench = make_bench(narrow)
    bench.take([message(f"plant/{device}/value", b"1") for device in "abc"])
    bench.take([message("plant/a/value", b"warm")])
    bench.stop()
    desk = DeadLetters(Access(bench.database), "me")

    bench = make_bench(wide)
    assert desk.replay(Which()) == (3, 0)
    desk.replay(Which())  # whoever asks twice does not have them read twice

    wait_until(lambda: bench.counters.replayed == 3, "all are read again")
    assert desk.count(Which()) == {"not-a-number": 1}
    assert bench.counters.balanced(0)
    assert (bench.counters.committed, bench.counters.readings, bench.counters.rejected) == (2, 2, 1)
    assert desk.list(Which(), 9)[0].received == RECEIVED_MS
    assert [name for (name,) in bench.query("SELECT name FROM stream")] == ["a", "b", "c"]
    assert bench.query("SELECT count(*) FROM request") == [(0,)]
    assert bench.acknowledged == []


def test_letters_asked_for_while_nothing_runs_are_read_at_the_start(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor(max_streams=1))
    many = MOST_MESSAGES + 20
    letters = [DeadLetter(RECEIVED_MS + i, "plant/a/value", b"1", 1, Reason.STREAMS, "") for i in range(many)]
    bench.stop()
    bench.store.open()
    with bench.store.transaction():
        bench.store.add_dead_letters(letters)
    bench.store.close()
    desk = DeadLetters(Access(bench.database), "me")
    desk.replay(Which())
    desk.purge(Which((str(many),)))  # asked for, and gone

    bench = make_bench(make_monitor(max_streams=1, bundle={"version": "2"}))

    wait_until(lambda: bench.counters.replayed == many - 1, "all but the purged one")
    wait_until(lambda: bench.query("SELECT count(*) FROM request") == [(0,)], "none is asked for any more")


def test_large_letters_are_read_some_at_a_time(database: Path) -> None:
    store = Store(database)
    store.open()
    replays, large, fit = Replays(store), b" " * LARGEST_PAYLOAD, MOST_BYTES // LARGEST_PAYLOAD
    with store.transaction():
        letter = DeadLetter(RECEIVED_MS, "plant/a/value", large, len(large), Reason.NUMBER, "")
        store.add_dead_letters([letter] * (fit + 5))
    DeadLetters(Access(database), "me").replay(Which())
    with store.transaction():
        replays.look()
        assert [len(replays.take()) for _ in range(3)] == [fit, 5, 0]
        assert not replays.pending
    store.close()


@pytest.mark.parametrize("size", [LARGEST_PAYLOAD, LARGEST_PAYLOAD + 1])
def test_a_payload_that_is_read_is_kept_whole(size: int, make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor())
    bench.take([message(payload=b"x" * size)._replace(source="south")])
    bench.stop()
    (letter,) = DeadLetters(Access(bench.database), "me").list(Which(), 1)
    assert (letter.size, letter.whole, letter.source) == (size, size <= LARGEST_PAYLOAD, "south")
