from dataclasses import fields

import pytest

from edge.alarm import AlarmPolicy
from edge.errors import ConfigError
from models.policy import read_policy


def test_nothing_given_is_the_usual_policy() -> None:
    assert read_policy({}) == AlarmPolicy()


def test_every_setting_is_read_as_it_is_written() -> None:
    usual = AlarmPolicy(k=2, n=3)
    texts = {each.name: str(getattr(usual, each.name)) for each in fields(AlarmPolicy)}
    assert read_policy(texts) == usual


def test_an_unknown_setting_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"--alarm: expected one of k, n, .*, got 'recover'; did you mean 'recovery'"):
        read_policy({"recover": "2"})


def test_what_is_no_number_is_told() -> None:
    with pytest.raises(ConfigError, match="--alarm k: expected a value such as 1, got 'two'"):
        read_policy({"k": "two"})


def test_numbers_that_do_not_fit_each_other_are_told() -> None:
    with pytest.raises(ConfigError, match="expected 1 <= k <= n"):
        read_policy({"k": "3"})
