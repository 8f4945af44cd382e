"""The outbox with a real database and a link that is a fake: what arrives, in which order, and what is left."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest

from edge.agent import outbox as module
from edge.agent.counters import Counters
from edge.agent.outbox import MOST_UNDER_WAY, Outbox
from edge.agent.packing import ALARM, VERDICT
from edge.agent.store import Store


class FakeLink:
    """A link that remembers what it was given, and acknowledges when told to."""

    def __init__(self) -> None:
        self.is_open = True
        self.resends = False
        self.epoch = 1
        self.most_unanswered = 65_535
        self.published: list[str] = []

    def publish_each(self, messages: Sequence[tuple[str, bytes]]) -> tuple[int, list[int]] | None:
        if not self.is_open:
            return None
        first = len(self.published) + 1
        self.published += [topic for topic, _ in messages]
        return self.epoch, list(range(first, first + len(messages)))


class Bench:
    """An outbox and all it needs; `reopen` begins anew as after a power cut."""

    def __init__(self, path: Path, most_bytes: int = 1 << 20) -> None:
        self.link = FakeLink()
        self.counters = Counters()
        self.store = Store(path)
        self._most_bytes = most_bytes
        self.reopen()

    def reopen(self) -> None:
        self.store.close()
        self.store.open()
        self.link.published.clear()
        self.outbox = Outbox(self.store, self.link, self._most_bytes, self.counters)
        self.outbox.restore()

    def verdicts(self, *names: str, size: int = 1) -> None:
        self.outbox.post(VERDICT, [(name, b"x" * size) for name in names])

    def alarm(self, name: str) -> None:
        self.outbox.post(ALARM, [(name, b"{}")])

    def commit(self) -> None:
        with self.store.transaction():
            rows = self.outbox.write()
        self.outbox.written(rows)
        self.outbox.make_room()

    def acknowledge(self) -> None:
        """Acknowledge all that was published, and go on publishing."""
        told = 0
        while told < len(self.link.published):
            for mid in range(told + 1, len(self.link.published) + 1):
                self.outbox.answered(mid, None)
            told = len(self.link.published)
            self.outbox.settle()
            self.outbox.publish()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "edge.db")
    yield made
    made.store.close()


def test_a_verdict_that_is_acknowledged_is_never_written(bench: Bench) -> None:
    bench.verdicts("a", "b")
    bench.outbox.publish()
    bench.acknowledge()
    bench.commit()
    assert bench.link.published == ["a", "b"]
    assert bench.outbox.waiting == 0


def test_what_is_not_acknowledged_by_the_commit_is_written_and_not_published_twice(bench: Bench) -> None:
    bench.verdicts("a", "b")
    bench.outbox.publish()
    bench.commit()
    bench.verdicts("c")
    bench.outbox.publish()
    assert bench.outbox.waiting == 1
    bench.acknowledge()
    bench.commit()
    assert bench.link.published == ["a", "b", "c"]
    assert bench.outbox.waiting == 0


def test_after_a_power_cut_what_was_not_acknowledged_is_published_again(bench: Bench) -> None:
    bench.verdicts("a", "b")
    bench.outbox.publish()
    bench.commit()
    bench.reopen()
    bench.outbox.publish()
    assert bench.link.published == ["a", "b"]


def test_an_alarm_is_not_published_before_it_is_written_and_what_follows_waits_for_it(bench: Bench) -> None:
    bench.verdicts("a")
    bench.alarm("alarm")
    bench.verdicts("b")
    bench.outbox.publish()
    assert bench.link.published == ["a"]
    bench.commit()
    bench.outbox.publish()
    assert bench.link.published == ["a", "alarm", "b"]


def test_if_nothing_can_be_written_an_alarm_is_published_all_the_same(bench: Bench) -> None:
    bench.alarm("alarm")
    bench.outbox.publish(unwritten=True)
    assert bench.link.published == ["alarm"]


def test_without_a_connection_all_waits_in_order(bench: Bench) -> None:
    bench.link.is_open = False
    expected = []
    for k in range(7):
        bench.verdicts(f"{k}a", f"{k}b")
        bench.alarm(f"{k}c")
        expected += [f"{k}a", f"{k}b", f"{k}c"]
        bench.outbox.publish()
        bench.commit()
    bench.reopen()
    bench.link.is_open = True
    bench.outbox.publish()
    bench.acknowledge()
    bench.commit()
    assert bench.link.published == expected
    assert (bench.outbox.waiting, bench.outbox.size) == (0, 0)


def test_what_a_lost_connection_did_not_carry_is_published_again_in_order(bench: Bench) -> None:
    bench.verdicts("a", "b", "c")
    bench.outbox.publish()
    bench.outbox.answered(1, None)
    bench.link.epoch += 2
    bench.outbox.settle()
    bench.verdicts("d")
    bench.outbox.publish()
    assert bench.link.published == ["a", "b", "c", "b", "c", "d"]


def test_a_client_that_publishes_again_by_itself_is_left_to_it(bench: Bench) -> None:
    bench.link.resends = True
    bench.verdicts("a")
    bench.outbox.publish()
    bench.link.epoch += 2
    bench.outbox.settle()
    bench.outbox.publish()
    assert bench.link.published == ["a"]


def test_no_more_goes_out_than_the_broker_takes_unanswered(bench: Bench) -> None:
    bench.link.most_unanswered = 10
    bench.verdicts(*"abcdefgh")
    bench.outbox.publish()
    assert bench.link.published == [*"abcde"]


def test_no_more_is_under_way_than_may_be(bench: Bench) -> None:
    bench.verdicts(*(f"{k}" for k in range(3 * MOST_UNDER_WAY)))
    bench.outbox.publish()
    assert len(bench.link.published) == MOST_UNDER_WAY
    bench.acknowledge()
    assert bench.link.published == [f"{k}" for k in range(3 * MOST_UNDER_WAY)]


def test_beyond_its_bound_the_oldest_verdicts_are_dropped_and_counted_and_alarms_never(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "edge.db", most_bytes=2_000)
    bench.link.is_open = False
    for k in range(100):
        bench.verdicts(f"v{k}")
        bench.alarm(f"a{k}") if k < 10 else None
        bench.commit()
        assert bench.outbox.size <= 2_000
    bench.link.is_open = True
    bench.outbox.publish()
    bench.acknowledge()
    alarms = [name for name in bench.link.published if name[0] == "a"]
    kept = [name for name in bench.link.published if name[0] == "v"]
    assert alarms == [f"a{k}" for k in range(10)]
    assert kept == [f"v{k}" for k in range(100 - len(kept), 100)]
    assert bench.counters.dropped == 100 - len(kept)
    bench.store.close()


def test_what_the_broker_refuses_is_published_again_after_a_while(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.verdicts("a", "b")
    bench.outbox.publish()
    bench.outbox.answered(1, "Not authorized")
    bench.outbox.settle()
    bench.outbox.publish()
    assert bench.link.published == ["a", "b"]
    assert "the broker refuses a: Not authorized" in caplog.text
    later = monotonic() + 60
    monkeypatch.setattr(module, "monotonic", lambda: later)
    bench.outbox.publish()
    assert bench.link.published == ["a", "b", "a"]


def test_while_nothing_can_be_written_the_oldest_verdicts_beyond_a_number_are_dropped(bench: Bench) -> None:
    bench.link.is_open = False
    bench.verdicts("a", "b", "c")
    bench.alarm("d")
    bench.outbox.spare(2)
    bench.link.is_open = True
    bench.outbox.publish(unwritten=True)
    assert bench.link.published == ["c", "d"]
    assert bench.counters.dropped == 2


def test_a_transaction_that_fails_changes_nothing(bench: Bench) -> None:
    bench.alarm("a")
    with suppress(sqlite3.OperationalError), bench.store.transaction():
        bench.outbox.write()
        raise sqlite3.OperationalError
    assert bench.outbox.waiting == 0
    bench.commit()
    bench.outbox.publish()
    assert bench.link.published == ["a"]
    assert bench.outbox.waiting == 1
