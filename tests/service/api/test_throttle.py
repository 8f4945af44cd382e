from service.api.throttle import FREE, Throttle


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_few_failures_cost_nothing_and_each_further_one_twice_as_much() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    waits = []
    for _ in range(FREE + 3):
        waits.append(throttle.wait_s("ada"))
        throttle.failed("ada")
    assert waits == [0] * FREE + [2, 4, 8]
    assert throttle.wait_s("bob") == 0
    clock.now_s = 16
    assert throttle.wait_s("ada", "bob") == 0


def test_who_succeeds_begins_anew_and_so_does_who_waits_an_hour() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for name in ("ada", "bob"):
        for _ in range(FREE):
            throttle.failed(name)
    throttle.succeeded("ada")
    assert (throttle.wait_s("ada"), throttle.wait_s("bob")) == (0, 2)
    clock.now_s = 3601
    throttle.failed("bob")
    assert throttle.wait_s("bob") == 0


def test_the_longest_wait_is_a_quarter_of_an_hour() -> None:
    throttle = Throttle(Clock())
    for _ in range(100):
        throttle.failed("ada")
    assert throttle.wait_s("ada") == 900
