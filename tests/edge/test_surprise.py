import numpy as np
import pytest
from numpy.typing import NDArray

from edge.state import SIGNALS, Records
from edge.surprise import LEAST_RARE, LEAST_RATE, MEMORY_SLOTS, RARE, STEEPEST, Followed, Reference
from tests.conftest import REFERENCE, bytes_of, records_of

LN10 = float(np.log(10))
#: typical 1, rare 3, a tail of mean 0.5 that 1 % of the slots reach
HAND = Reference(*((number,) * len(SIGNALS) for number in (1.0, 3.0, 0.01, 0.5)))


def records(count: int = 1) -> Records:
    made = records_of(count)
    HAND.begin(made)
    return made


def of_error(*values: float) -> NDArray[np.float32]:
    """Return signals (n, SIGNALS) whose first is given; the others are 0."""
    signals = np.zeros((len(values), len(SIGNALS)), np.float32)
    signals[:, 0] = values
    return signals


@pytest.mark.parametrize(
    ("signal", "decades"),
    [(0.0, 0.0), (1.0, 0.0), (2.0, 1.0), (3.0, 2.0), (3.0 + 0.5 * LN10, 3.0), (3.0 + 5 * LN10, 12.0)],
)
def test_a_surprise_can_be_computed_by_hand(signal: float, decades: float) -> None:
    assert Followed(records()).surprise(of_error(signal))[0].tolist() == pytest.approx([decades, 0, 0, 0, 0], abs=1e-5)


def test_a_signal_that_is_mostly_nothing_is_surprising_wherever_it_is_more() -> None:
    made = records()
    made["typical"] = made["rare"] = 0
    made["rate"], made["excess"] = 0.001, 0.1
    assert Followed(made).surprise(of_error(0.0)).sum() == 0
    assert Followed(made).surprise(of_error(1e-9))[0, 0] == pytest.approx(3.0)
    assert Followed(made).surprise(of_error(0.1 * LN10))[0, 0] == pytest.approx(4.0)


@pytest.mark.parametrize(("typical", "excess"), [(1.0, 0.2 * (3.0 - 1.0)), (0.0, 0.2 * (3.0 - 0.0)), (2.9, 0.05 * 3.0)])
def test_a_tail_is_never_taken_as_steeper_than_a_normal_distributions(typical: float, excess: float) -> None:
    made = records()
    made["typical"], made["excess"] = typical, 0
    assert Followed(made).surprise(of_error(3.0 + excess * LN10))[0, 0] == pytest.approx(3.0)
    assert Followed(made).signal_at(np.array([3.0], np.float32), 0)[0] == pytest.approx(3.0 + excess * LN10)


def test_the_excess_of_a_normal_distribution_is_the_least() -> None:
    noise = np.abs(np.random.default_rng(4).normal(size=1_000_000))
    fitted = Reference.fit(np.tile(noise[:, None], len(SIGNALS)))
    assert fitted.excess[0] == pytest.approx(STEEPEST * (fitted.rare[0] - fitted.typical[0]), rel=0.4)


def test_the_signal_of_a_surprise_is_its_inverse() -> None:
    decades = np.linspace(2, 9, 15, dtype=np.float32)
    made = records(15)
    assert Followed(made).surprise(of_error(*Followed(made).signal_at(decades, 0)))[:, 0].tolist() == pytest.approx(
        decades.tolist()
    )


def test_a_band_reaches_to_what_alone_is_worth_the_limit() -> None:
    rare, excess, rate = REFERENCE.rare[0], REFERENCE.excess[0], REFERENCE.rate[0]
    limit = np.array([-np.log10(rate), 3.0, 0.0], np.float32)
    reach = Followed(records_of(3)).signal_at(limit, 0)
    assert reach.tolist() == pytest.approx([rare, rare + excess * np.log(10) * (3 + np.log10(rate)), rare])


def test_what_is_less_than_rare_has_no_signal_in_the_tail() -> None:
    assert Followed(records(2)).signal_at(np.array([0.0, 1.9], np.float32), 0).tolist() == [3.0, 3.0]


def test_a_reference_is_fitted_to_what_was_seen() -> None:
    random = np.random.default_rng(1)
    signals = np.zeros((100_000, len(SIGNALS)))
    signals[:, 0] = random.exponential(2.0, 100_000)
    signals[::1000, 2] = 0.5
    fitted = Reference.fit(signals)
    assert fitted.typical == pytest.approx((2 * np.log(2), 0, 0, 0, 0), rel=0.02)
    assert fitted.rare == pytest.approx((-2 * np.log(RARE), *LEAST_RARE[1:]), rel=0.02)
    assert fitted.rate == pytest.approx((RARE, 0.5 / 100_000, 0.001, 0.5 / 100_000, 0.5 / 100_000), rel=0.01)
    assert fitted.excess[0] == pytest.approx(2.0, rel=0.05)
    assert fitted.excess[2] == pytest.approx(0.5 - LEAST_RARE[2], rel=0.01)


def test_a_single_exceedance_does_not_settle_how_far_the_tail_reaches() -> None:
    signals = np.zeros((100, len(SIGNALS)))
    signals[0] = 30.0
    fitted = Reference.fit(signals)
    assert fitted.rate[0] == 0.01
    assert fitted.excess[0] == pytest.approx((30.0 - LEAST_RARE[0] + 0.5 * 0.3) / 1.5, rel=1e-4)


def follow(made: Records, signals: NDArray[np.float32]) -> None:
    """Let one stream's record follow signals (slots,), the same for each signal."""
    calm = np.ones(len(made), bool)
    for row in np.repeat(signals[:, None, None], len(SIGNALS), axis=2):
        Followed(made).learn(row, calm)


def test_the_quantiles_stay_where_they_are_on_noise_that_stays_as_it_is() -> None:
    random = np.random.default_rng(2)
    made = records()
    made["typical"], made["rare"], made["rate"], made["excess"] = np.log(2), -np.log(RARE), RARE, 1.0
    follow(made, random.exponential(size=20_000).astype(np.float32))
    fresh = random.exponential(size=100_000)
    assert np.mean(fresh > made["typical"][0, 0]) == pytest.approx(0.5, abs=0.03)
    assert np.mean(fresh > made["rare"][0, 0]) == pytest.approx(RARE, abs=0.01)
    assert made["rate"][0, 0] == pytest.approx(RARE, abs=0.01)
    assert made["excess"][0, 0] == pytest.approx(1.0, abs=0.3)


def test_the_quantiles_follow_a_slow_change() -> None:
    random = np.random.default_rng(3)
    made = records()
    made["typical"], made["rare"], made["rate"], made["excess"] = np.log(2), -np.log(RARE), RARE, 1.0
    growing = np.linspace(1, 3, 60_000)
    follow(made, (growing * random.exponential(size=60_000)).astype(np.float32))
    fresh = 3 * random.exponential(size=100_000)
    assert np.mean(fresh > made["typical"][0, 0]) == pytest.approx(0.5, abs=0.1)
    assert np.mean(fresh > made["rare"][0, 0]) == pytest.approx(RARE, abs=0.03)


def test_a_signal_that_falls_silent_becomes_as_seldom_as_can_be() -> None:
    made = records()
    follow(made, np.zeros(60_000, np.float32))
    assert made["typical"][0].tolist() == [0] * len(SIGNALS)
    assert made["rare"][0].tolist() == LEAST_RARE.tolist()
    assert made["rate"][0].tolist() == [np.float32(LEAST_RATE)] * len(SIGNALS)


def test_what_is_less_than_is_ever_rare_raises_no_brow_however_quiet_it_was() -> None:
    made = records()
    follow(made, np.zeros(60_000, np.float32))
    assert Followed(made).surprise(of_error(0.01))[0, 0] < 0.1
    assert Followed(made).signal_at(np.array([0.0], np.float32), 0)[0] == LEAST_RARE[0]


def test_one_wild_signal_moves_the_reference_little() -> None:
    made = records()
    follow(made, np.array([1e6], np.float32))
    assert made["rare"][0, 0] == pytest.approx(3.0 + 0.5 * (1 / RARE - 1) / MEMORY_SLOTS)
    assert made["typical"][0, 0] == pytest.approx(1.0 + 0.5 / MEMORY_SLOTS)


def test_what_is_not_calm_teaches_nothing() -> None:
    made = records(2)
    before = bytes_of(made.take(np.array([0])))
    other = bytes_of(made.take(np.array([1])))
    Followed(made).learn(of_error(9.0, 9.0), np.array([False, True]))
    assert bytes_of(made.take(np.array([0]))) == before
    assert bytes_of(made.take(np.array([1]))) != other
