import numpy as np
import pytest

from edge.runs import newest_before, run_ranks, run_starts, stable_order
from edge.state import NEVER

GROUPS = np.array([4, 4, 7, 7, 7, 4], np.int32)


def test_where_runs_begin_and_each_item_s_place_in_its_run() -> None:
    assert run_starts(GROUPS).tolist() == [True, False, True, False, False, True]
    assert run_ranks(GROUPS).tolist() == [0, 1, 0, 1, 2, 0]
    assert run_starts(GROUPS[:0]).tolist() == []


def test_the_newest_time_before_each_item_in_its_run() -> None:
    time = np.array([5, 3, 9, 8, 10, 1])
    assert newest_before(GROUPS, time).tolist() == [NEVER, 5, NEVER, 9, 9, NEVER]
    assert newest_before(GROUPS[1:3], time[1:3]).tolist() == [NEVER, NEVER]


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_equal_groups_come_together_each_in_its_own_order(count: int) -> None:
    group = np.random.default_rng(count).integers(0, 2**31, count, np.int32) >> 20
    assert stable_order(group).tolist() == np.argsort(group, kind="stable").tolist()
