import numpy as np
import pytest

from edge.alarm import AlarmPolicy
from edge.errors import ConfigError
from edge.reading import Change
from edge.state import record_dtype


def changes(policy: AlarmPolicy, anomalous: str) -> str:
    """Run one stream; '#' is an anomalous slot, '.' a normal one. Answers 'o' opened, 'c' closed, ' ' neither."""
    record = np.zeros(1, record_dtype(1, 1))
    letters = {Change.NONE: " ", Change.OPENED: "o", Change.CLOSED: "c"}
    return "".join(
        letters[Change(int(policy.advance(record, np.array([mark == "#"]), np.array([1000 + at]))[0]))]
        for at, mark in enumerate(anomalous)
    )


def test_an_alarm_opens_once_and_closes_after_recovery() -> None:
    assert changes(AlarmPolicy(recovery=3, cool_down=0), "..##.#...") == "  o     c"


def test_k_of_n_scores_open_it() -> None:
    policy = AlarmPolicy(k=2, n=3, recovery=2, cool_down=0)
    assert changes(policy, "#...#.#..") == "      o c"


def test_none_opens_while_it_cools_down() -> None:
    assert changes(AlarmPolicy(recovery=1, cool_down=3), "#.##.##") == "oc   o "


def test_streams_do_not_touch_each_other() -> None:
    records = np.zeros(3, record_dtype(1, 1))
    change = AlarmPolicy().advance(records, np.array([False, True, False]), np.array([7, 7, 7]))
    assert change.tolist() == [Change.NONE, Change.OPENED, Change.NONE]
    assert records["alarm"].tolist() == [0, 7, 0]


@pytest.mark.parametrize("policy", [{"k": 0}, {"k": 3, "n": 2}, {"n": 33}, {"recovery": 0}, {"cool_down": -1}])
def test_a_policy_that_makes_no_sense_is_refused(policy: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="alarm: expected"):
        AlarmPolicy(**policy)
