"""The delivering thread with a real outbox, a real writer of it and a server that answers as it is told."""

import logging
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import urllib3

from service.relays.answer import Answer
from service.relays.delivery import Delivery
from service.relays.letters import Letter
from service.relays.outbox import OutboxReader, OutboxRow
from service.relays.retry import LONGEST_S
from service.storage.store import Store
from tests.service.relays.conftest import Receiver, Reply, Request
from tests.system.conftest import wait_until


class Lines:
    """A server that takes lines."""

    name = "lines"

    def __init__(self, url: str, most_rows: int = 500, timeout_s: float = 5) -> None:
        self.url = url
        self.most_rows = most_rows
        self.timeout_s = timeout_s
        self.closed = Event()
        self._pool = urllib3.PoolManager(retries=False, timeout=timeout_s)

    def send(self, rows: Sequence[OutboxRow]) -> Answer:
        try:
            response = self._pool.request("POST", self.url, body=b"\n".join(row.body for row in rows))
        except urllib3.exceptions.HTTPError as error:
            return Answer.none(error)
        return Answer.of(response.status, response.data, response.headers)

    def split(self, row: OutboxRow) -> list[OutboxRow]:
        return [row._replace(body=line) for line in row.body.split(b"\n")]

    def close(self) -> None:
        self._pool.clear()
        self.closed.set()


class Run:
    """A delivery, and what it handed over to be forgotten."""

    def __init__(self, database: Path, target: Lines, **options: Any) -> None:
        self.forgotten: list[int] = []
        self.letters: list[Letter] = []
        self.at_once: list[bool] = []
        self.turns: list[float] = []
        self.relay = Delivery(target, OutboxReader(database, "lines"), self._forget, **options)
        self.relay.on_turn = self.turns.append
        self.relay.start()

    def _forget(self, ids: Sequence[int], letters: Sequence[Letter], at_once: bool) -> None:
        self.forgotten.extend(ids)
        self.letters.extend(letters)
        self.at_once.append(at_once)


MakeRun = Callable[..., Run]


@pytest.fixture
def run(database: Path, store: Store) -> Iterator[MakeRun]:
    made: list[Run] = []

    def make(target: Lines, **options: Any) -> Run:
        made.append(Run(database, target, **options))
        return made[-1]

    assert store is not None
    yield make
    for each in made:
        each.relay.stop(5)


def post(store: Store, *bodies: bytes, kind: str = "verdict") -> None:
    with store.transaction():
        for body in bodies:
            store.post("lines", "", body, kind)


def taken(receiver: Receiver) -> list[bytes]:
    return [line for request in receiver.taken for line in request.body.split(b"\n")]


def test_rows_are_delivered_in_order_and_forgotten(store: Store, receiver: Receiver, run: MakeRun) -> None:
    bodies = [b"%d" % number for number in range(20)]
    post(store, *bodies[:10])
    made = run(Lines(receiver.url, most_rows=3))
    wait_until(lambda: len(made.forgotten) == 10, "the backlog is delivered")
    assert [request.body for request in receiver.taken][:2] == [b"0\n1\n2", b"3\n4\n5"]

    post(store, *bodies[10:])
    made.relay.wake()
    wait_until(lambda: made.forgotten == list(range(1, 21)), "the rest is delivered")
    assert taken(receiver) == bodies


def test_what_is_committed_is_delivered_at_once(store: Store, receiver: Receiver, run: MakeRun) -> None:
    made = run(Lines(receiver.url))
    time.sleep(0.1)
    waits = []
    for number in range(20):
        post(store, b"%d" % number, kind="alarm")
        began = time.monotonic()
        made.relay.wake()
        wait_until(lambda number=number: len(receiver.taken) == number + 1, "it is delivered")  # type: ignore[misc]
        waits.append(time.monotonic() - began)
    assert sorted(waits)[10] < 0.1  # and not at the next second


def test_an_alarm_is_forgotten_at_once_and_verdicts_with_the_next_transaction(
    store: Store, receiver: Receiver, run: MakeRun
) -> None:
    made = run(Lines(receiver.url, most_rows=1))
    post(store, b"a", kind="alarm")
    post(store, b"v")
    made.relay.wake()
    wait_until(lambda: made.at_once == [True, False], "both are forgotten")


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 503])
def test_what_may_be_mended_is_tried_again_and_never_dropped(
    status: int, store: Store, receiver: Receiver, run: MakeRun, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    receiver.script(*[Reply(status, body=b"not now")] * 3)
    post(store, b"1", b"2")
    made = run(Lines(receiver.url), wait=lambda _: False)
    wait_until(lambda: made.forgotten == [1, 2], "delivered at last")

    assert len(receiver.heard) == 4
    assert taken(receiver) == [b"1", b"2"]
    assert made.letters == []
    told = [record for record in caplog.records if record.name == "service.relays.delivery"]
    assert [record.levelname for record in told] == ["WARNING" if status in (429, 500, 503) else "ERROR", "INFO"]
    assert told[0].getMessage().startswith(f"lines: not delivered: {status} not now")
    wait_until(lambda: made.relay.trouble is None, "it says that all is well")


def test_a_server_that_asks_for_time_is_given_it(store: Store, receiver: Receiver, run: MakeRun) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    receiver.script(Reply(429, {"Retry-After": "77"}), Reply(503, {"Retry-After": "88"}), Reply(500))
    post(store, b"1")
    made = run(Lines(receiver.url), wait=wait)
    wait_until(lambda: made.forgotten == [1], "delivered")
    assert waits[:2] == [77, 88]
    assert {77, 88} < set(made.turns), "the watchdog is told that it will be long"
    assert waits[2] < LONGEST_S


def test_lines_that_the_server_refuses_become_letters_and_all_others_are_delivered(
    store: Store, receiver: Receiver, run: MakeRun
) -> None:
    bad = {b"line 1234", b"line 4999"}

    def answer(request: Request) -> Reply:
        return Reply(400, body=b'{"error": "cannot parse"}') if bad & set(request.body.split(b"\n")) else Reply()

    receiver.answer = answer
    lines = [b"line %d" % number for number in range(5000)]
    post(store, b"\n".join(lines[:3000]), b"\n".join(lines[3000:]))
    made = run(Lines(receiver.url))
    wait_until(lambda: made.forgotten == [1, 2], "all is settled")

    assert sorted(taken(receiver)) == sorted(set(lines) - bad)
    assert [letter.body for letter in made.letters] == [b"line 1234", b"line 4999"]
    assert {(letter.sink, letter.kind, letter.reason) for letter in made.letters} == {
        ("lines", "verdict", "400 cannot parse")
    }
    assert abs(made.letters[0].refused - 1000 * time.time()) < 60_000
    assert len(receiver.heard) < 60


def test_what_is_too_much_at_once_is_sent_in_parts(store: Store, receiver: Receiver, run: MakeRun) -> None:
    receiver.answer = lambda request: Reply(413) if len(request.body) > 100 else Reply()
    post(store, *(b"x" * 30 for _ in range(10)), b"y" * 200)
    made = run(Lines(receiver.url))
    wait_until(lambda: len(made.forgotten) == 11, "all is settled")
    assert taken(receiver) == [b"x" * 30] * 10
    assert [(letter.body, letter.reason) for letter in made.letters] == [(b"y" * 200, "413")]


def test_what_was_taken_but_not_answered_in_time_is_sent_again(store: Store, receiver: Receiver, run: MakeRun) -> None:
    receiver.script(Reply(after_s=1.0))
    post(store, b"1")
    made = run(Lines(receiver.url, timeout_s=0.2), wait=lambda _: False)
    wait_until(lambda: made.forgotten == [1], "delivered")
    assert taken(receiver) == [b"1", b"1"]


def test_a_server_that_was_away_for_an_hour_has_everything_in_the_end(
    database: Path, store: Store, receiver: Receiver, run: MakeRun, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        target = Lines(f"http://127.0.0.1:{free.getsockname()[1]}")
    waits: list[float] = []
    clock = Store(database)
    clock.open()

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        post(clock, b"%d" % len(waits))  # the plant goes on
        if sum(waits) >= 3600:
            target.url = receiver.url
        return False

    post(store, b"0")
    made = run(target, wait=wait)
    wait_until(lambda: len(waits) > 0 and len(made.forgotten) == len(waits) + 1, "all is delivered")
    clock.close()

    assert taken(receiver) == [b"%d" % number for number in range(len(waits) + 1)]
    assert max(waits) <= LONGEST_S
    assert 60 < len(waits) < 140
    said = [record.getMessage() for record in caplog.records if record.name == "service.relays.delivery"]
    assert said[0].startswith("lines: not delivered: no connection: [Errno 111]")
    assert said[1:] == [f"lines: delivers again, after {sum(waits):.0f} s"]


def test_it_ends_in_time_while_the_server_is_away_and_leaves_the_rows(store: Store, run: MakeRun) -> None:
    post(store, b"1")
    target = Lines("http://127.0.0.1:9")
    made = run(target)
    wait_until(lambda: made.relay.trouble is not None, "the server is missed")
    began = time.monotonic()
    made.relay.stop(5)
    assert time.monotonic() - began < 2
    assert not made.relay.is_alive
    assert target.closed.is_set()
    assert made.forgotten == []


def test_it_ends_in_time_while_the_server_does_not_answer(store: Store, receiver: Receiver, run: MakeRun) -> None:
    receiver.script(Reply(after_s=1.5))
    post(store, b"1")
    made = run(Lines(receiver.url))
    wait_until(lambda: len(receiver.heard) == 1, "the request is there")
    began = time.monotonic()
    made.relay.stop(0.2)
    assert time.monotonic() - began < 1


def test_what_waits_at_the_end_is_still_delivered(store: Store, receiver: Receiver, run: MakeRun) -> None:
    made = run(Lines(receiver.url))
    post(store, b"1")
    made.relay.stop(5)
    assert made.forgotten == [1]


def test_an_outbox_that_cannot_be_read_and_a_bug_end_nothing(
    store: Store, receiver: Receiver, run: MakeRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = run(Lines(receiver.url), wait=lambda _: False)
    failures: list[Exception] = [OSError("gone"), KeyError("bug")]
    read = OutboxReader.read

    def fail(self: OutboxReader, *arguments: int) -> list[OutboxRow]:
        if failures:
            raise failures.pop(0)
        return read(self, *arguments)

    monkeypatch.setattr(OutboxReader, "read", fail)
    post(store, b"1")
    made.relay.wake()
    wait_until(lambda: made.forgotten == [1], "delivered")
    assert made.relay.is_alive
    assert "the outbox cannot be read: gone" in caplog.text
    assert "the relay has failed" in caplog.text
