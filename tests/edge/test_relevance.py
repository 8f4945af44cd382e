import numpy as np
import pytest

from edge.alarm import AlarmPolicy
from edge.errors import ConfigError
from edge.relevance import Relevance


def counts(policy: AlarmPolicy, value: list[float], expected: list[float]) -> list[bool]:
    """Ask for one slot of the channels flow and pressure."""
    answer: list[bool] = (
        Relevance(policy, ["flow", "pressure"]).counts(np.array([value]), np.array([expected]))[0].tolist()
    )
    return answer


def test_by_default_there_is_nothing_to_choose() -> None:
    assert not Relevance(AlarmPolicy(), ["flow"]).chooses
    assert not Relevance(AlarmPolicy(direction={"flow": "both"}), ["flow"]).chooses


@pytest.mark.parametrize(
    ("direction", "expected"), [("above", [True, False]), ("below", [False, True]), ("both", [True, True])]
)
def test_a_deviation_counts_in_its_direction(direction: str, expected: list[bool]) -> None:
    assert counts(AlarmPolicy(direction=direction), [5.0, 1.0], [3.0, 3.0]) == expected  # type: ignore[arg-type]


def test_a_deviation_below_the_least_does_not_count() -> None:
    assert counts(AlarmPolicy(least_absolute=0.5), [3.4, 3.5], [3.0, 3.0]) == [False, True]


def test_the_relative_least_is_a_share_of_what_was_expected() -> None:
    assert counts(AlarmPolicy(least_relative=0.1), [-109.0, 1.2], [-100.0, 1.0]) == [False, True]


def test_settings_by_channel_leave_the_others_as_they_are() -> None:
    policy = AlarmPolicy(direction={"pressure": "below"}, least_absolute={"flow": 2.0})
    assert counts(policy, [4.0, 4.0], [3.0, 3.0]) == [False, False]
    assert counts(policy, [1.0, 2.9], [3.0, 3.0]) == [True, True]


def test_a_missing_value_does_not_count() -> None:
    assert counts(AlarmPolicy(direction="above"), [np.nan, 9.0], [3.0, 3.0]) == [False, True]


@pytest.mark.parametrize("setting", [{"direction": {"flwo": "above"}}, {"least_relative": {"flwo": 0.1}}])
def test_a_channel_that_is_not_there_is_refused(setting: dict[str, dict[str, object]]) -> None:
    with pytest.raises(ConfigError, match="expected channels among flow, pressure, got flwo"):
        Relevance(AlarmPolicy(**setting), ["flow", "pressure"])  # type: ignore[arg-type]
