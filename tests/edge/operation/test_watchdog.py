from threading import Event, Thread

import pytest

from edge.operation.watchdog import Watchdog, stacks


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wait(watchdog: Watchdog, clock: Clock, seconds: int) -> list[str]:
    """Let time pass as the main thread does, and return who hangs in the end."""
    hung: list[str] = []
    for _ in range(seconds):
        clock.now += 1
        hung = watchdog.hung()
    return hung


def test_who_is_not_heard_of_for_too_long_hangs(clock: Clock) -> None:
    watchdog = Watchdog(10, clock)
    writer, relay = watchdog.heart("writer"), watchdog.heart("relay", more_s=5)
    assert wait(watchdog, clock, 100) == []  # they have not begun
    writer.beat()
    relay.beat()
    assert wait(watchdog, clock, 10) == []
    assert wait(watchdog, clock, 1) == ["writer"]
    writer.beat()
    assert wait(watchdog, clock, 5) == ["relay"]


def test_who_said_that_it_takes_longer_is_waited_for(clock: Clock) -> None:
    watchdog = Watchdog(10, clock)
    heart = watchdog.heart("writer")
    heart.beat(30)
    assert wait(watchdog, clock, 40) == []
    assert wait(watchdog, clock, 1) == ["writer"]


def test_a_process_that_was_stopped_as_a_whole_does_not_hang(clock: Clock) -> None:
    watchdog = Watchdog(10, clock)
    watchdog.heart("writer").beat()
    assert wait(watchdog, clock, 5) == []
    clock.now += 3600
    assert watchdog.hung() == []
    assert wait(watchdog, clock, 10) == []
    assert wait(watchdog, clock, 1) == ["writer"]


def test_the_stack_of_each_thread_is_told_by_its_name() -> None:
    go_on = Event()
    thread = Thread(target=go_on.wait, name="waits-for-nothing")
    thread.start()
    told = stacks()
    go_on.set()
    thread.join()
    assert "thread waits-for-nothing:\n" in told
    assert "thread MainThread:\n" in told
