import numpy as np

from edge.half_precision import held


def test_what_is_held_has_a_finite_half_and_nothing_stays_nothing() -> None:
    values = np.array([-np.inf, -1e9, 1.5, 1e9, np.inf, np.nan], np.float32)
    halves = held(values).astype(np.float16)
    assert np.isfinite(halves[:5]).all()
    assert halves[2] == 1.5
    assert np.isnan(halves[5])
