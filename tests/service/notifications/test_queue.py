"""What is told, put together, held back and dropped, with a real outbox."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.messages.alarm import Alarm
from service.alarms.messages import Incident, Member
from service.counters import Counters
from service.notifications.queue import NoticeQueue
from service.notifications.quiet import Quiet
from service.notifications.sent import Sent
from service.notifications.settings import NotificationSettings
from service.notifications.sink import NoticeSink
from service.pipeline.monitor import Monitor
from service.relays.letters import Letter
from service.relays.outbox import Outbox, OutboxReader
from service.storage.access import Access
from service.storage.store import Store
from tests.service.conftest import MakeMonitor
from tests.service.notifications.conftest import START, alarm_of

NAME = "notify:team/1"


class Bench:
    """An outbox with one receiver, whose messages the test takes."""

    def __init__(self, store: Store, database: Path, monitor: Monitor, **settings: Any) -> None:
        self._store, self._database, self._monitor = store, database, monitor
        self.settings = NotificationSettings.model_validate({"urls_variable": "URLS"} | settings)
        self.outbox = Outbox(store, [NoticeSink(NAME, self.settings.least_severity)], Counters())
        self.now = datetime(2026, 7, 1, 12, tzinfo=UTC)
        self.restart()

    def restart(self) -> None:
        quiet = Quiet(self.settings.quiet, self.settings.time_zone)
        reader = OutboxReader(self._database, NAME)
        sent = Sent(Access(self._database), NAME)
        self.queue = NoticeQueue(reader, self.settings, quiet, self._forget, sent, lambda: self.now)

    def post(self, *alarms: Alarm, told: bool = True) -> None:
        with self._store.transaction():
            for each in alarms:
                self.outbox.post_alarm(self._monitor, f"north/{each.id}", each, told)
            self.outbox.settle()
        self.outbox.committed()

    def post_incident(self, state: str, alarms: int = 3, severity: str = "major") -> None:
        end = START + 1000 if state == "closed" else None
        members = [Member(f"m{i}", "main", f"north/{i}", "value", START, end, severity, 2.5) for i in range(alarms)]
        with self._store.transaction():
            self.outbox.post_incident(Incident("i1", "plant", START, end, START, alarms, 0), state, alarms, members)
            self.outbox.settle()
        self.outbox.committed()

    def next(self) -> dict[str, Any] | None:
        """Return the next message, which counts as sent."""
        rows = self.queue.read(0, 1)
        if not rows:
            return None
        self.queue.forget([rows[0].id], [], True)
        told: dict[str, Any] = json.loads(rows[0].body)
        return told

    def titles(self) -> list[str]:
        told = []
        while (message := self.next()) is not None:
            told.append(message["title"])
        return told

    @property
    def left(self) -> int:
        """Return how many rows are left in the outbox, once what is forgotten is taken out."""
        self.post()
        return int(self._store.db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def _forget(self, ids: Sequence[int], letters: Sequence[Letter], _at_once: bool) -> None:
        self.outbox.forget(ids, letters)


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench(store: Store, database: Path, make_monitor: MakeMonitor) -> MakeBench:
    return lambda **settings: Bench(store, database, make_monitor(), **settings)


def test_an_alarm_is_one_message_and_its_end_is_none_unless_it_is_asked_for(make_bench: MakeBench) -> None:
    bench = make_bench(time_zone="Europe/Rome")
    bench.post(alarm_of("one"))
    message = bench.next()
    assert message is not None
    assert message["title"] == "Major alarm: north/one (value)"
    assert message["text"] == ("value is far above what was expected\nSince 2023-11-14 23:16:40 CET; alarm one")
    assert message["severity"] == "major"
    assert message["subject"]["interval_ms"] == 10_000
    bench.post(alarm_of("one", end=START + 60_000))
    assert (bench.titles(), bench.left) == ([], 0)


def test_an_end_that_is_asked_for_is_told(make_bench: MakeBench) -> None:
    bench = make_bench(updates=["end"])
    bench.post(alarm_of("one"))
    assert bench.titles() == ["Major alarm: north/one (value)"]
    bench.post(alarm_of("one", end=START + 60_000))
    message = bench.next()
    assert message is not None
    assert message["title"] == "Over major alarm: north/one (value)"
    assert "until 2023-11-14 22:17:40 UTC" in message["text"]


def test_an_incident_is_one_message_and_its_alarms_are_none(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.post(alarm_of("one"), alarm_of("two"), told=False)
    bench.post_incident("opened")
    assert bench.titles() == ["Major incident: 3 streams of plant"]
    bench.post_incident("grown", 6)
    bench.post_incident("closed", 6)
    assert (bench.titles(), bench.left) == ([], 0)


def test_an_incident_that_worsens_or_ends_is_told_if_it_is_asked_for(make_bench: MakeBench) -> None:
    bench = make_bench(updates=["worse", "end"])
    for state in ("opened", "grown", "closed"):
        bench.post_incident(state, 3 if state == "opened" else 6)
        told = bench.titles()
        assert (
            told
            == {
                "opened": ["Major incident: 3 streams of plant"],
                "grown": ["Worse major incident: 6 streams of plant"],
                "closed": ["Over major incident: 6 streams of plant"],
            }[state]
        )


def test_what_was_not_yet_told_when_it_ended_is_told_once_as_over(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.post(alarm_of("one"), alarm_of("one", end=START + 60_000))
    assert bench.titles() == ["Over major alarm: north/one (value)"]
    assert bench.left == 0


def test_more_than_a_few_things_at_once_are_one_message(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.post(*(alarm_of(f"a{number}") for number in range(3)))
    assert len(bench.titles()) == 3
    bench.post(*(alarm_of(f"b{number}", 5.0 if number else 1.5) for number in range(25)))
    message = bench.next()
    assert message is not None
    assert message["title"] == "25 alarms, critical at worst"
    assert message["text"].splitlines()[0].startswith("- Minor alarm: north/b0 (value), since 2023-11-14 22:16:40 UTC")
    assert message["text"].splitlines()[-1] == "and 5 more"
    assert (bench.titles(), bench.left) == ([], 0)


def test_beyond_what_an_hour_allows_alarms_wait_and_are_told_together(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("service.notifications.queue.monotonic", lambda: clock[0])
    bench = make_bench(most_per_hour=2)
    for number in range(4):
        bench.post(alarm_of(f"a{number}"))
        assert len(bench.titles()) == (number < 2)
    assert bench.left == 2
    clock[0] = 3599
    assert bench.titles() == []
    clock[0] = 3600
    bench.post(*(alarm_of(f"b{number}") for number in range(5)))
    assert bench.titles() == ["7 alarms, major at worst"]


def test_what_was_sent_before_a_restart_counts(make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [50_000.0]
    monkeypatch.setattr("service.notifications.queue.monotonic", lambda: clock[0])
    bench = make_bench(most_per_hour=2)
    bench.post(alarm_of("a0"), alarm_of("a1"))
    assert len(bench.titles()) == 2
    bench.post(alarm_of("a2"))
    bench.now += timedelta(minutes=40)
    clock[0] = 7.0  # of another process, after the machine has started anew
    bench.restart()
    assert (bench.titles(), bench.left) == ([], 1)
    clock[0] += 1199
    assert bench.titles() == []
    clock[0] += 1
    assert bench.titles() == ["Major alarm: north/a2 (value)"]


@pytest.mark.parametrize("hours", [-2, 2])
def test_what_was_sent_in_another_hour_does_not_count_even_by_a_clock_that_was_wrong(
    hours: int, make_bench: MakeBench
) -> None:
    bench = make_bench(most_per_hour=1)
    bench.post(alarm_of("a0"))
    assert len(bench.titles()) == 1
    bench.now += timedelta(hours=hours)
    bench.restart()
    bench.post(alarm_of("a1"))
    assert bench.titles() == ["Major alarm: north/a1 (value)"]


def test_a_message_that_cannot_be_counted_is_sent_and_the_log_says_so(
    store: Store, make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    store.db.execute("DROP TABLE notified")
    bench = make_bench(most_per_hour=1)
    bench.post(alarm_of("a0"))
    assert len(bench.titles()) == 1
    assert "what was sent before this start is not counted: " in caplog.text
    assert "a message that was sent is counted until the next start only: " in caplog.text


def test_in_quiet_hours_only_what_is_critical_is_told_and_the_rest_after_them_if_it_goes_on(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(quiet={"begin": "22:00", "end": "07:00"}, time_zone="UTC")
    bench.now = bench.now.replace(hour=23)
    bench.post(alarm_of("goes-on"), alarm_of("short"), alarm_of("worst", 6.0))
    assert bench.titles() == ["Critical alarm: north/worst (value)"]
    bench.post(alarm_of("short", end=START + 60_000))
    assert bench.titles() == []
    assert bench.left == 1
    bench.restart()
    assert bench.titles() == []
    bench.now = bench.now.replace(day=2, hour=7)
    assert bench.titles() == ["Major alarm: north/goes-on (value)"]
    assert bench.left == 0


def test_what_is_not_severe_enough_is_not_told_nor_is_its_end(make_bench: MakeBench) -> None:
    bench = make_bench(least_severity="major", updates=["end"])
    bench.post(alarm_of("minor", 1.5), alarm_of("minor", 1.5, end=START + 1000))
    assert bench.left == 0


def test_what_was_handed_over_and_not_forgotten_is_handed_over_again(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.post(alarm_of("one"))
    first = bench.queue.read(0, 1)
    bench.post(alarm_of("two"))
    assert bench.queue.read(first[0].id, 1) == first
    bench.restart()
    assert bench.queue.read(0, 1) == first


def test_a_letter_that_is_sent_again_is_the_message_that_it_was(make_bench: MakeBench, store: Store) -> None:
    bench = make_bench()
    bench.post(alarm_of("one"))
    refused = bench.queue.read(0, 1)[0]
    bench.queue.forget([refused.id], [], True)
    assert bench.left == 0
    with store.transaction():
        store.post(NAME, refused.stream, refused.body, refused.kind)
    assert [row.body for row in bench.queue.read(0, 1)] == [refused.body]
    bench.restart()
    for _ in range(3):
        with store.transaction():
            store.post(NAME, refused.stream, refused.body, refused.kind)
    message = bench.next()
    assert message is not None
    assert message["title"] == "4 alarms, major at worst"
    assert message["text"].splitlines() == ["- Major alarm: north/one (value)"] * 4


def test_names_cannot_break_out_of_a_line(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.post(alarm_of("x\r\nBcc: all@plant.example"))
    message = bench.next()
    assert message is not None
    assert message["title"] == "Major alarm: north/x  Bcc: all@plant.example (value)"
