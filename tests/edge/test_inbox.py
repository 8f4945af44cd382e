import time
from threading import Thread

from edge.inbox import Inbox
from tests.service.conftest import message


def test_messages_come_out_in_their_order_and_at_most_so_many() -> None:
    inbox = Inbox()
    assert inbox.put([message(mid=mid) for mid in range(5)], 0) == 5

    assert [m.mid for m in inbox.take(3, 0)] == [0, 1, 2]
    assert [m.mid for m in inbox.take(3, 0)] == [3, 4]
    assert inbox.take(3, 0) == []


def test_a_message_is_in_flight_until_it_is_done() -> None:
    inbox = Inbox()
    inbox.put([message(), message()], 0)
    inbox.take(1, 0)
    assert inbox.in_flight == 2

    inbox.done(1)
    assert inbox.in_flight == 1


def test_a_full_inbox_makes_who_puts_wait() -> None:
    inbox = Inbox(most_messages=1)
    inbox.put([message()], 0)
    assert not inbox.put([message()], 0.05)

    def take_later() -> None:
        time.sleep(0.05)
        inbox.take(1, 0)

    taker = Thread(target=take_later)
    taker.start()
    assert inbox.put([message()], 5)
    taker.join()


def test_bytes_are_bounded_too_but_one_message_always_fits() -> None:
    inbox = Inbox(most_bytes=100)
    assert inbox.put([message(payload=b"x" * 1000)], 0)
    assert not inbox.put([message(payload=b"x")], 0)


def test_of_many_messages_those_are_added_that_find_room_in_time() -> None:
    inbox = Inbox(most_messages=3)
    assert inbox.put([message(mid=mid) for mid in range(5)], 0) == 3
    assert [m.mid for m in inbox.take(10, 0)] == [0, 1, 2]

    inbox = Inbox(most_bytes=3000)
    assert inbox.put([message(mid=mid, payload=b"x" * 800) for mid in range(5)], 0) == 2
    assert [m.mid for m in inbox.take(10, 0)] == [0, 1]


def test_many_messages_are_added_as_room_is_made_in_their_order() -> None:
    inbox = Inbox(most_messages=3)
    taken: list[int] = []

    def take() -> None:
        while len(taken) < 20:
            taken.extend(m.mid for m in inbox.take(2, 1))

    taker = Thread(target=take)
    taker.start()
    assert inbox.put([message(mid=mid) for mid in range(20)], 5) == 20
    taker.join()
    assert taken == list(range(20))


def test_no_more_bytes_are_taken_at_once_than_asked_for_but_one_message_at_least() -> None:
    inbox = Inbox()
    inbox.put([message(mid=mid, payload=b"x" * 800) for mid in range(5)], 0)
    assert [m.mid for m in inbox.take(10, 0, most_bytes=2500)] == [0, 1]
    assert [m.mid for m in inbox.take(10, 0, most_bytes=1)] == [2]


def test_a_closed_inbox_takes_nothing_and_gives_what_it_has() -> None:
    inbox = Inbox()
    inbox.put([message()], 0)
    inbox.close()

    assert not inbox.put([message()], 5)
    assert not inbox.drained
    assert len(inbox.take(10, 5)) == 1
    assert inbox.drained


def test_take_returns_when_it_is_woken() -> None:
    inbox = Inbox()
    inbox.wake()
    began = time.monotonic()
    assert inbox.take(1, 10) == []
    assert time.monotonic() - began < 5


def test_who_waits_for_more_than_the_inbox_is_told_of_all_that_ends_a_wait() -> None:
    told: list[int] = []
    inbox = Inbox(on_change=lambda: told.append(inbox.queued))
    inbox.put([message(), message()], 0)
    inbox.take(1, 0)
    inbox.wake()
    inbox.close()
    inbox.put([message()], 0)
    assert told == [2, 1, 1]
