from edge.brokers.backoff import LONGEST_WAIT_S, BackOff


def test_a_connection_that_is_lost_now_and_then_comes_back_soon() -> None:
    back_off = BackOff()
    waits = [back_off.after(lasted, taken_over=False, told=False) for lasted in (1, 1, 1, 1, 50, 1, 1, 1, 1)]
    assert {wait.next_s for wait in waits} == {1}
    assert not back_off.is_fighting


def test_after_a_takeover_it_waits_until_a_connection_has_lasted() -> None:
    back_off = BackOff()
    waits = [back_off.after(40, taken_over=True, told=True).next_s for _ in range(20)]
    assert all(30 <= wait <= LONGEST_WAIT_S for wait in waits)
    assert len(set(waits)) > 1
    assert back_off.is_fighting
    assert back_off.after(40, taken_over=False, told=False).next_s >= 30
    assert back_off.after(121, taken_over=False, told=False).next_s == 1


def test_short_connections_one_after_the_other_are_taken_for_a_takeover() -> None:
    back_off = BackOff()
    waits = [back_off.after(1.5, taken_over=False, told=False).next_s for _ in range(9)]
    assert waits[:4] == [1, 1, 1, 1]
    assert 8 <= waits[4] <= 12
    assert 30 <= waits[8] <= 45
    assert back_off.after(40, taken_over=False, told=False).next_s >= 30
    assert back_off.after(121, taken_over=False, told=False).next_s == 1


def test_a_broker_that_shuts_down_again_and_again_is_no_takeover() -> None:
    back_off = BackOff()
    assert {back_off.after(1, taken_over=False, told=True).next_s for _ in range(20)} == {1}
