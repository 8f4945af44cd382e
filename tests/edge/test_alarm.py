import numpy as np
import pytest

from edge.alarm import AlarmPolicy, Severity
from edge.errors import ConfigError
from edge.reading import Change
from edge.state import Records, record_dtype

LETTERS = {Change.NONE: " ", Change.OPENED: "o", Change.CLOSED: "c"}


def changes_of_scores(policy: AlarmPolicy, scores: list[float]) -> str:
    """Run one stream. Answers 'o' opened, 'c' closed, ' ' neither, a letter a slot."""
    record = Records.zeros(1, record_dtype(1, 1))
    return "".join(
        LETTERS[Change(int(policy.advance(record, np.array([score], np.float32), np.array([1000 + at]))[0]))]
        for at, score in enumerate(scores)
    )


def changes(policy: AlarmPolicy, slots: str) -> str:
    """Run one stream; '#' is an anomalous slot, '+' one just below the limit, '.' a normal one."""
    return changes_of_scores(policy, [{"#": 1.5, "+": 0.95, ".": 0.2}[mark] for mark in slots])


def test_an_alarm_opens_once_and_closes_after_recovery() -> None:
    assert changes(AlarmPolicy(recovery=3, cool_down=0), "..##.#...") == "  o     c"


def test_k_of_n_scores_open_it() -> None:
    policy = AlarmPolicy(k=2, n=3, recovery=2, cool_down=0)
    assert changes(policy, "#...#.#..") == "      o c"


def test_none_opens_while_it_cools_down() -> None:
    assert changes(AlarmPolicy(recovery=1, cool_down=3), "#.##.##") == "oc   o "


def test_a_normal_slot_opens_none_when_cooling_ends() -> None:
    assert changes(AlarmPolicy(k=2, n=4, recovery=1, cool_down=3), "##.##....#") == " oc      " + " "


def test_a_score_between_release_and_limit_does_not_recover() -> None:
    assert changes(AlarmPolicy(recovery=2, cool_down=0), "#.+.+..") == "o     c"
    assert changes(AlarmPolicy(recovery=2, cool_down=0, release=1.0), "#.+.+..") == "o c    "


def test_a_score_between_release_and_limit_opens_none() -> None:
    assert changes(AlarmPolicy(), "++++").strip() == ""


@pytest.mark.parametrize(("later", "expected"), [(2.9, "oc     o"), (3.0, "oc     o"), (3.1, "oc o")])
def test_while_it_rests_only_a_higher_score_opens_another(later: float, expected: str) -> None:
    policy = AlarmPolicy(recovery=1, cool_down=1, rest=6)
    assert changes_of_scores(policy, [3.0, 0.0, 0.0, later, 0.0, 0.0, 0.0, 2.0])[: len(expected)] == expected


def test_a_rest_begins_anew_with_each_opening() -> None:
    policy = AlarmPolicy(recovery=1, cool_down=0, rest=4)
    assert changes_of_scores(policy, [2, 0, 0, 3, 0, 2, 0, 2, 2]) == "oc oc   o"


def test_the_peak_is_the_alarm_s_own() -> None:
    policy, record = AlarmPolicy(recovery=1, cool_down=0), Records.zeros(1, record_dtype(1, 1))
    peaks = []
    for score in (9.0, 0.0, 2.0, 5.0, 3.0):
        policy.advance(record, np.array([score], np.float32), np.array([1]))
        peaks.append(float(record["peak"][0]))
    assert peaks == [9, 9, 2, 5, 5]


def test_streams_do_not_touch_each_other() -> None:
    records = Records.zeros(3, record_dtype(1, 1))
    change = AlarmPolicy().advance(records, np.array([0, 2, 0], np.float32), np.array([7, 7, 7]))
    assert change.tolist() == [Change.NONE, Change.OPENED, Change.NONE]
    assert records["alarm"].tolist() == [0, 7, 0]


@pytest.mark.parametrize(
    ("peak", "severity"),
    [
        (1.0, Severity.MINOR),
        (1.99, Severity.MINOR),
        (2.0, Severity.MAJOR),
        (3.99, Severity.MAJOR),
        (4.0, Severity.CRITICAL),
        (1e30, Severity.CRITICAL),
    ],
)
def test_the_severity_follows_the_peak(peak: float, severity: Severity) -> None:
    assert Severity.of(peak) is severity


@pytest.mark.parametrize(
    "policy",
    [
        {"k": 0},
        {"k": 3, "n": 2},
        {"n": 33},
        {"recovery": 0},
        {"cool_down": -1},
        {"release": 0.0},
        {"release": 1.1},
        {"rest": -1},
        {"direction": "up"},
        {"direction": {"flow": "up"}},
        {"least_absolute": -1.0},
        {"least_relative": {"flow": float("nan")}},
        {"level": "always"},
        {"level_after": 7},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(policy: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="alarm: expected"):
        AlarmPolicy(**policy)  # type: ignore[arg-type]
