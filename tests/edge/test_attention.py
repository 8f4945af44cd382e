import pytest

from edge.attention import Attention, Heard
from edge.inbox import Inbox, Message


class FakeBroker:
    """Says until when it has told all that it had, as a test wants it."""

    def __init__(self) -> None:
        self.heard: dict[str, int | None] = {"north": 0, "south": 0}

    def __call__(self) -> Heard:
        return dict(self.heard)


def test_the_clock_of_a_broker_runs_with_what_is_known_of_it() -> None:
    broker = FakeBroker()
    attention = Attention(Inbox(), broker)
    attention.look()
    for now in (1000, 2500, 2500, 4000):
        broker.heard["north"] = now
        attention.look()
    assert (attention.ms("north"), attention.ms("south"), attention.ms("elsewhere")) == (4000, 0, 0)


def test_the_time_in_which_a_broker_is_away_does_not_count() -> None:
    broker = FakeBroker()
    attention = Attention(Inbox(), broker)
    attention.look()
    for now in (1000, None, 60_000, 61_000):
        broker.heard["north"] = now
        attention.look()
    assert attention.ms("north") == 2000


def test_a_long_step_does_not_count_as_somebody_was_held_up() -> None:
    broker = FakeBroker()
    attention = Attention(Inbox(), broker)
    attention.look()
    for now in (1000, 31_000, 32_000):
        broker.heard["north"] = now
        attention.look()
    assert attention.ms("north") == 2000


def test_the_time_in_which_messages_wait_does_not_count() -> None:
    broker, inbox = FakeBroker(), Inbox()
    attention = Attention(inbox, broker)
    attention.look()
    inbox.put([Message(0, 1, 1, "plant/a/value", b"1", False, 0)], 1)
    broker.heard["north"] = 1000
    attention.look()
    inbox.take(1, 0)
    for now in (2000, 3000):
        broker.heard["north"] = now
        attention.look()
    assert attention.ms("north") == 1000


def test_what_comes_is_later_than_what_is_known_and_time_runs_from_there() -> None:
    broker, now_ms = FakeBroker(), 0
    attention = Attention(Inbox(), broker, lambda: now_ms)
    attention.look()
    broker.heard["north"], now_ms = 1000, 1800
    attention.look()
    assert (attention.ms("north"), attention.ms_of_arrival("north")) == (1000, 1800)
    broker.heard["north"], now_ms = 1700, 1900  # asked before it came
    attention.look()
    assert attention.ms("north") < 1800


@pytest.mark.parametrize("heard", [None, 1000])
def test_what_comes_while_little_is_known_is_later_than_all_that_is_known_next(heard: int | None) -> None:
    broker, inbox, now_ms = FakeBroker(), Inbox(), 900
    attention = Attention(inbox, broker, lambda: now_ms)
    inbox.put([Message(0, 1, 1, "plant/a/value", b"1", False, 0)], 1)
    broker.heard["north"], now_ms = heard, 1100
    attention.look()
    inbox.take(1, 0)
    now_ms = 1500
    arrival = attention.ms_of_arrival("north")
    for known in (1100, 1450):
        broker.heard["north"] = known
        attention.look()
    assert 0 < attention.ms("north") <= arrival


def test_a_long_time_of_which_nothing_is_known_does_not_keep_slots_open() -> None:
    broker, now_ms = FakeBroker(), 0
    attention = Attention(Inbox(), broker, lambda: now_ms)
    attention.look()
    now_ms = 60_000
    assert attention.ms_of_arrival("north") == 3000


def test_without_brokers_it_is_the_time_that_passes() -> None:
    attention = Attention(Inbox())
    attention.look()
    attention.look()
    assert 0 <= attention.ms("") < 1000
