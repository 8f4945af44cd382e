import numpy as np

from edge.state import NEVER
from models.data.latest import Latest


def test_the_latest_time_is_told_for_each_device_across_blocks() -> None:
    latest = Latest()
    assert latest.take(np.array([0, 1, 0]), np.array([5, 7, 3])).tolist() == [NEVER, NEVER, 5]
    assert latest.take(np.array([2, 0, 1]), np.array([1, 9, 8])).tolist() == [NEVER, 5, 7]
    assert latest.take(np.array([0]), np.array([1])).tolist() == [9]


def test_no_rows_change_nothing() -> None:
    assert Latest().take(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []
