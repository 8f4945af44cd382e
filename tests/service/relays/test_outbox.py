import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.messages.alarm import Alarm
from edge.reading import Verdicts
from service.alarms.messages import Incident, Member
from service.counters import Counters
from service.pipeline.monitor import Monitor
from service.relays.letters import MOST_LETTERS, Letter
from service.relays.mqtt_sink import mqtt_sinks
from service.relays.outbox import LINES_A_ROW, VERDICT, Outbox, OutboxReader, OutboxRow, Sink
from service.storage.store import Store
from tests.conftest import START_MS
from tests.service.conftest import MakeMonitor
from tests.service.relays.conftest import verdicts_of

INCIDENT = Incident("i", "plant", START_MS, None, START_MS, 3, 0)


class Lines:
    """A sink that wants all, and writes a verdict as its time."""

    def __init__(self, name: str = "lines", most_bytes: int = 1_000_000) -> None:
        self.name = name
        self.most_bytes = most_bytes

    def alarm(self, monitor: Monitor, stream: str, alarm: Alarm, told: bool) -> bytes | None:
        return f"{monitor.name} {stream} {alarm.id} {told}".encode()

    def incident(self, incident: Incident, state: str, streams: int, members: Sequence[Member]) -> bytes | None:
        return f"{incident.id} {state} {streams} {len(members)}".encode()

    def verdicts(self, monitor: Monitor, verdicts: Verdicts) -> Iterable[bytes]:
        del monitor
        return [b"%d" % time for time in verdicts.time.tolist()]

    def health(self, told: Mapping[str, Any], waiting: Mapping[str, int]) -> Iterable[bytes]:
        return [f"{told['service']} {dict(waiting)}".encode()]


@pytest.fixture
def monitor(make_monitor: MakeMonitor) -> Monitor:
    return make_monitor()


def alarm(ident: str = "a") -> Alarm:
    return Alarm(ident, 1, "pump/1", "value", START_MS, None, 2, 9, 1, 0, 2, 2, START_MS, "value", raised=START_MS)


def outbox_of(store: Store, sinks: Sequence[Sink], counters: Counters | None = None) -> Outbox:
    return Outbox(store, sinks, counters or Counters())


def transact(store: Store, outbox: Outbox, monitor: Monitor | None = None, times: Sequence[int] = ()) -> None:
    with store.transaction():
        if monitor is not None:
            outbox.post_verdicts(monitor, verdicts_of(times))
        outbox.settle()
    outbox.committed()


def bodies(database: Path, sink: str = "lines") -> list[bytes]:
    return [row.body for row in OutboxReader(database, sink).read(0, 100)]


def test_each_sink_has_a_row_of_its_own(store: Store, database: Path, monitor: Monitor) -> None:
    outbox = outbox_of(store, [*mqtt_sinks([monitor]), Lines()])
    with store.transaction():
        outbox.post_alarm(monitor, "north/a", alarm(), True)
        outbox.post_alarm(monitor, "north/a", alarm("b"), False)
        outbox.post_incident(INCIDENT, "opened", 3, [])
        outbox.settle()
    outbox.committed()

    told = [(row.stream, row.kind) for row in OutboxReader(database, "mqtt").read(0, 9)]
    assert told == [("north/a", "alarm"), ("plant", "incident")]
    assert bodies(database) == [b"main north/a a True", b"main north/a b False", b"i opened 3 0"]


def test_the_verdicts_of_a_transaction_are_one_row(store: Store, database: Path, monitor: Monitor) -> None:
    outbox = outbox_of(store, [Lines()])
    with store.transaction():
        outbox.post_verdicts(monitor, verdicts_of([1, 2]))
        outbox.post_verdicts(monitor, verdicts_of([3]))
        outbox.settle()
    outbox.committed()
    transact(store, outbox, monitor, range(LINES_A_ROW + 1))

    assert bodies(database)[0] == b"1\n2\n3"
    assert [body.count(b"\n") + 1 for body in bodies(database)] == [3, LINES_A_ROW, 1]


def test_a_relay_is_woken_once_its_row_is_committed(store: Store, monitor: Monitor) -> None:
    outbox = outbox_of(store, [*mqtt_sinks([monitor]), Lines()])
    woken: list[str] = []
    outbox.on_posted = lambda sink, _: woken.append(sink)
    transact(store, outbox)
    with store.transaction():
        outbox.post_verdicts(monitor, verdicts_of([1]))
        outbox.settle()
        assert woken == []
    outbox.committed()
    assert woken == ["lines"]


def test_a_relay_is_told_the_rows_unless_there_may_be_others_before(
    store: Store, database: Path, monitor: Monitor
) -> None:
    outbox = outbox_of(store, [Lines()])
    told: list[Sequence[OutboxRow]] = []
    outbox.on_posted = lambda _, rows: told.append(rows)

    def post(slots: Sequence[int]) -> None:
        with store.transaction():
            outbox.post_verdicts(monitor, verdicts_of(slots))
            outbox.post_incident(INCIDENT, "opened", 3, [])
            outbox.settle()
        outbox.committed()

    for slots in ([], [1], []):
        post(slots)
    outbox.restore()  # as after an error, which may have come after the commit
    post([])
    post([])

    rows = [row for row in OutboxReader(database, "lines").read(0, 10) if row.kind != VERDICT]
    assert told == [(), [rows[1]], [rows[2]], (), [rows[4]]]


def test_what_was_delivered_is_taken_out_and_what_was_refused_is_kept(
    store: Store, database: Path, monitor: Monitor
) -> None:
    counters = Counters()
    outbox = outbox_of(store, [Lines()], counters)
    for time in range(3):
        transact(store, outbox, monitor, [time])
    outbox.forget([1, 3], [Letter(7, "lines", "verdict", "", b"2", "400 no")])
    transact(store, outbox)

    assert bodies(database) == [b"1"]
    letters = store.db.execute("SELECT refused, sink, kind, stream, body, reason FROM relay_letter").fetchall()
    assert letters == [(7, "lines", "verdict", "", b"2", "400 no")]
    assert counters.undeliverable == {"lines": 1}
    assert counters.summary(0).endswith("0 retries, refused by lines 1")


def test_only_the_newest_letters_of_a_sink_and_kind_are_kept(store: Store) -> None:
    outbox = outbox_of(store, [Lines()])
    outbox.forget([], [Letter(0, "lines", "alarm", "a", b"", "")])
    outbox.forget([], [Letter(time, "lines", "verdict", "", b"", "") for time in range(MOST_LETTERS + 5)])
    transact(store, outbox)
    kept = store.db.execute("SELECT kind, count(*), min(refused) FROM relay_letter GROUP BY kind").fetchall()
    assert kept == [("alarm", 1, 0), ("verdict", MOST_LETTERS, 5)]


def test_a_full_outbox_drops_its_oldest_verdicts_and_no_alarm(store: Store, database: Path, monitor: Monitor) -> None:
    counters = Counters()
    outbox = outbox_of(store, [Lines(most_bytes=100), Lines("other", 100)], counters)
    with store.transaction():
        outbox.post_alarm(monitor, "a", alarm(), True)
        outbox.settle()
    outbox.committed()
    for time in range(1000, 1030):
        transact(store, outbox, monitor, [time, time])
        outbox.forget([row.id for row in OutboxReader(database, "other").read(0, 100)])

    alarm_row, *others = bodies(database)
    assert alarm_row == b"main a a True"
    assert len(alarm_row) + sum(map(len, others)) <= 100
    assert others == [b"%d\n%d" % (time, time) for time in range(1030 - len(others), 1030)]
    assert counters.dropped == {"lines": 2 * (30 - len(others))}


def test_alarms_alone_may_be_more_than_the_bound(store: Store, database: Path, monitor: Monitor) -> None:
    counters = Counters()
    outbox = outbox_of(store, [Lines(most_bytes=50)], counters)
    with store.transaction():
        for number in range(10):
            outbox.post_alarm(monitor, "a", alarm(f"{number:04}"), True)
        outbox.settle()
    outbox.committed()
    transact(store, outbox, monitor, [1])
    assert len(bodies(database)) == 10
    assert counters.dropped == {"lines": 1}
    assert counters.summary(0).endswith("0 retries, dropped for lines 1")


def test_the_bound_counts_what_an_earlier_run_left(store: Store, database: Path, monitor: Monitor) -> None:
    for _ in range(3):
        transact(store, outbox_of(store, [Lines(most_bytes=10)]), monitor, [1234])
    assert bodies(database) == [b"1234", b"1234"]


def test_what_is_rolled_back_is_neither_told_nor_forgotten_nor_counted(
    store: Store, database: Path, monitor: Monitor
) -> None:
    counters = Counters()
    outbox = outbox_of(store, [Lines(most_bytes=10)], counters)
    transact(store, outbox, monitor, [1111])
    outbox.forget([1], [Letter(0, "lines", "verdict", "", b"", "")])

    def fail() -> None:
        with store.transaction():
            outbox.post_verdicts(monitor, verdicts_of([2222, 3333]))
            outbox.settle()
            raise sqlite3.OperationalError

    with pytest.raises(sqlite3.OperationalError):
        fail()
    outbox.restore()
    assert bodies(database) == [b"1111"]
    assert (counters.dropped, counters.undeliverable) == ({}, {})

    transact(store, outbox, monitor, [4444])
    assert bodies(database) == [b"4444"]
    assert (counters.dropped, counters.undeliverable) == ({}, {"lines": 1})


def test_verdicts_for_a_sink_that_is_no_more_are_deleted_and_its_alarms_told(
    store: Store, database: Path, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    transact(store, outbox_of(store, [Lines("gone"), Lines()]), monitor, [1])
    store.post("gone", "a", b"alarm")
    with store.transaction():
        outbox_of(store, [Lines()]).clear_strangers()
    assert bodies(database, "gone") == [b"alarm"]
    assert bodies(database) == [b"1"]
    assert "1 alarms wait for the sink 'gone', which the configuration does not have" in caplog.text


def test_a_new_database_goes_on_numbering_so_that_relays_miss_nothing_and_forget_nothing_new(
    store: Store, database: Path, monitor: Monitor
) -> None:
    outbox = outbox_of(store, [Lines()])
    for time in range(3):
        transact(store, outbox, monitor, [time])
    position = OutboxReader(database, "lines").read(0, 9)[-1].id
    outbox.forget([1, 2, 3])
    store.quarantine(sqlite3.DatabaseError("broken"))
    outbox.restore()
    transact(store, outbox, monitor, [3])
    transact(store, outbox, monitor, [4])

    assert [row.body for row in OutboxReader(database, "lines").read(position, 9)] == [b"3", b"4"]


def test_a_relay_reads_so_many_bytes_at_once(store: Store, database: Path, monitor: Monitor) -> None:
    outbox = outbox_of(store, [Lines()])
    for time in range(1000, 1005):
        transact(store, outbox, monitor, [time])
    reader = OutboxReader(database, "lines")
    assert [row.id for row in reader.read(0, 100, 8)] == [1, 2]
    assert [row.id for row in reader.read(0, 100, 9)] == [1, 2, 3]
    assert [row.id for row in reader.read(3, 1, 9)] == [4]


def test_the_services_health_is_told_among_the_verdicts_with_what_waits_for_each_sink(
    store: Store, monitor: Monitor
) -> None:
    outbox = outbox_of(store, [*mqtt_sinks([monitor]), Lines()])
    with store.transaction():
        outbox.post_alarm(monitor, "a", alarm(), told=True)
    with store.transaction():
        outbox.post_health({"service": "north"})
        outbox.post_verdicts(monitor, verdicts_of([7]))
        outbox.settle()
    outbox.committed()

    told = OutboxReader(store.path, "lines").read(0, 10)
    assert [(row.kind, row.body) for row in told[1:]] == [("verdict", b"north {'mqtt': 1, 'lines': 1}\n7")]
    assert [row.kind for row in OutboxReader(store.path, "mqtt").read(0, 10)] == ["alarm"]
