from random import Random

from service.relays.backoff import FIRST_S, LONGEST_ASKED_S, LONGEST_S, BackOff


def test_it_waits_longer_each_time_up_to_a_minute_and_at_random() -> None:
    ceilings = [min(FIRST_S * 2**step, LONGEST_S) for step in range(20)]
    for seed in range(20):
        back_off = BackOff(Random(seed))  # noqa: S311
        waits = [back_off.next_s() for _ in ceilings]
        assert all(ceiling / 2 <= wait <= ceiling for wait, ceiling in zip(waits, ceilings, strict=True))
    assert len({BackOff(Random(seed)).next_s() for seed in range(20)}) == 20  # noqa: S311


def test_it_begins_anew_after_a_success() -> None:
    back_off = BackOff()
    for _ in range(10):
        back_off.next_s()
    back_off.reset()
    assert back_off.next_s() <= FIRST_S


def test_it_waits_as_long_as_the_server_asks_for_within_reason() -> None:
    assert BackOff().next_s(90) == 90
    assert BackOff().next_s(0) > 0
    assert BackOff().next_s(1e9) == LONGEST_ASKED_S
