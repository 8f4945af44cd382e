import numpy as np
import pytest

from edge.errors import ConfigError
from edge.limits import PRIOR_EXCESS, PRIOR_WEIGHT, Budget, Tail

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("text", "per_week"),
    [("2 per week", 2), ("1 per day", 7), ("0.5/week", 0.5), ("10 Per Weeks", 10), ("52.1786 per year", 1)],
)
def test_a_budget_is_a_rate(text: str, per_week: float) -> None:
    assert Budget.parse(text).per_slot(HOUR_MS) * 168 == pytest.approx(per_week, rel=1e-3)


@pytest.mark.parametrize(
    "text", ["", "two per week", "2", "0 per week", "-1 per week", "2 per fortnight", "nan per week"]
)
def test_what_is_no_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a rate such as '2 per week'"):
        Budget.parse(text)


def test_a_budget_reads_back_as_written() -> None:
    assert str(Budget.parse("2 per week")) == "2 per week"


@pytest.mark.parametrize("text", ["10 per week for the monitor", "10/weeks  for the fleet"])
def test_a_budget_for_the_monitor_is_shared_by_its_streams(text: str) -> None:
    budget = Budget.parse(text)
    assert str(budget) == "10 per week for the monitor"
    assert [budget.shared(streams).alarms for streams in (0, 1, 20)] == [10, 10, 0.5]
    assert Budget.parse("2 per week").shared(20) == Budget.parse("2 per week")
    with pytest.raises(
        ConfigError, match="expected that of each stream, such as '2 per week', got '10 per week for the"
    ):
        budget.per_slot(HOUR_MS)


def test_a_limit_is_exceeded_about_as_often_as_it_is_for() -> None:
    generator = np.random.default_rng(3)
    tail = Tail.fit(generator.exponential(0.5, 20_000))
    fresh = generator.exponential(0.5, 1_000_000)
    for per_slot in (1e-2, 1e-3, 1e-4):
        assert 0.6 * per_slot < np.mean(fresh > tail.limit(per_slot)) < 1.4 * per_slot


def test_few_slots_leave_the_tail_near_what_real_streams_show() -> None:
    surprises = np.random.default_rng(2).exponential(3.0, 100_000)
    few, many = Tail.fit(surprises[:16]).mean_excess, Tail.fit(surprises).mean_excess
    assert many == pytest.approx(3.0, rel=0.05)
    assert few == pytest.approx(PRIOR_EXCESS, abs=1.0)


def test_the_prior_counts_as_so_many_slots() -> None:
    surprises = np.concatenate([np.ones(1000 - PRIOR_WEIGHT - 6), np.full(PRIOR_WEIGHT + 6, 3.0)])  # 3 % are 30
    tail = Tail.fit(surprises)
    assert (tail.count, tail.exceeding, tail.threshold) == (1000, PRIOR_WEIGHT + 6, 1.0)
    assert tail.mean_excess == pytest.approx((2.0 * tail.exceeding + PRIOR_EXCESS * PRIOR_WEIGHT) / 54)


def test_a_limit_can_be_computed_by_hand() -> None:
    tail = Tail(count=1000, exceeding=30, threshold=2.0, mean_excess=0.5)
    assert tail.limit(0.03) == 2.0
    assert tail.limit(0.003) == pytest.approx(2.0 + 0.5 * np.log(10))


def test_without_a_budget_nothing_reaches_the_limit() -> None:
    assert Tail(count=1000, exceeding=30, threshold=2.0, mean_excess=0.5).limit(0.0) == np.inf


def test_a_smaller_budget_has_a_higher_limit() -> None:
    tail = Tail.fit(np.random.default_rng(0).normal(size=1000).__abs__())
    assert tail.limit(1e-6) > tail.limit(1e-4) > tail.limit(1e-2) >= tail.threshold


def test_a_budget_beyond_the_tail_gives_the_threshold() -> None:
    tail = Tail(count=100, exceeding=10, threshold=2.0, mean_excess=0.5)
    assert tail.limit(0.9) == 2.0


def test_few_slots_alone_do_not_say_how_far_the_tail_reaches() -> None:
    close = np.concatenate([np.ones(100), np.full(9, 3.0)])  # eight beyond, all of them no further
    assert Tail.fit(close).mean_excess > 0.4


def test_too_few_slots_make_no_tail() -> None:
    with pytest.raises(ValueError, match="expected at least 16 slots, got 15"):
        Tail.fit(np.ones(15))


def test_a_limit_is_exceeded_as_often_as_it_was_for() -> None:
    tail = Tail(count=1000, exceeding=30, threshold=4.0, mean_excess=0.5)
    rates = [1e-2, 1e-4, 1e-8]
    limits = np.array([tail.limit(rate) for rate in rates], np.float32)
    assert (1 / tail.once_in(limits)).tolist() == pytest.approx(rates, rel=1e-3)


def test_nothing_is_so_seldom_as_never_and_below_the_threshold_nothing_more_often_than_it() -> None:
    tail = Tail(count=1000, exceeding=30, threshold=4.0, mean_excess=0.5)
    slots = tail.once_in(np.array([0.0, 4.0, 1e30], np.float32))
    assert slots[:2].tolist() == pytest.approx([1 / 0.03] * 2)
    assert 1e9 < slots[2] < np.inf
