import numpy as np
import pytest
from numpy.typing import NDArray

from models.report.structure import autocorrelation


def noise(slots: int, channels: int = 1, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(3, 2, (slots, channels))


def test_noise_stays_within_the_bound() -> None:
    values, bound = autocorrelation([noise(2000, 2), noise(2000, 2, 1)], 100)
    assert bound == pytest.approx(1.96 / np.sqrt(4000))
    assert (np.abs(values) > bound).mean() < 0.12


def test_errors_that_hang_together_show_it_at_their_lags() -> None:
    errors = noise(5000)
    for row in range(1, len(errors)):
        errors[row] += 0.6 * errors[row - 1]
    values, _ = autocorrelation([errors], 3)
    assert values == pytest.approx([0.6, 0.36, 0.216], abs=0.06)


def test_a_missing_error_counts_nothing() -> None:
    errors = noise(400)
    holes = errors.copy()
    holes[100:200] = np.nan
    _, bound = autocorrelation([holes], 1)
    assert bound == pytest.approx(1.96 / np.sqrt(300))
    pieces = np.concatenate([errors[:100], errors[200:]]) - np.nanmean(holes)
    power = (pieces**2).sum()
    inner = (pieces[1:100] * pieces[:99]).sum() + (pieces[101:] * pieces[100:-1]).sum()
    assert autocorrelation([holes], 1)[0] == pytest.approx(inner / power)


def test_errors_that_never_vary_have_no_structure() -> None:
    values, _ = autocorrelation([np.ones((50, 1))], 3)
    assert values.tolist() == [0, 0, 0]
