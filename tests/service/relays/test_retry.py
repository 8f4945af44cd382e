from random import Random

from service.relays.retry import FIRST_S, LONGEST_ASKED_S, LONGEST_S, Retry


def test_it_waits_longer_each_time_up_to_a_minute_and_at_random() -> None:
    ceilings = [min(FIRST_S * 2**step, LONGEST_S) for step in range(20)]
    for seed in range(20):
        retry = Retry(Random(seed))  # noqa: S311
        waits = [retry.next_s() for _ in ceilings]
        assert all(ceiling / 2 <= wait <= ceiling for wait, ceiling in zip(waits, ceilings, strict=True))
    assert len({Retry(Random(seed)).next_s() for seed in range(20)}) == 20  # noqa: S311


def test_it_begins_anew_after_a_success() -> None:
    retry = Retry()
    for _ in range(10):
        retry.next_s()
    retry.reset()
    assert retry.next_s() <= FIRST_S


def test_it_waits_as_long_as_the_server_asks_for_within_reason() -> None:
    assert Retry().next_s(90) == 90
    assert Retry().next_s(0) > 0
    assert Retry().next_s(1e9) == LONGEST_ASKED_S
