from dataclasses import asdict

import pytest

from edge.alarm import AlarmPolicy
from edge.errors import ConfigError
from models.policy import read_policy
from service.settings import AlarmSettings

OTHER = {
    "k": 2, "n": 3, "recovery": 4, "cool_down": 0, "release": 0.5, "rest": 7, "direction": "above",
    "least_absolute": 0.25, "least_relative": 0.01, "level": "sustained", "level_after": 50,
}  # fmt: skip


def test_nothing_given_is_the_usual_policy() -> None:
    assert read_policy({}) == AlarmPolicy()


def test_every_setting_of_the_service_can_be_given() -> None:
    assert set(OTHER) == set(asdict(AlarmPolicy())) == set(AlarmSettings.model_fields)
    texts = {name: str(value) for name, value in OTHER.items()}
    assert read_policy(texts) == AlarmPolicy(**OTHER) == AlarmSettings(**OTHER).policy()  # type: ignore[arg-type]


def test_a_setting_may_be_given_by_channel() -> None:
    policy = read_policy({"direction.flow": "above", "direction.p.1": "below", "least_absolute.flow": "2"})
    assert policy.direction == {"flow": "above", "p.1": "below"}
    assert policy.least_absolute == {"flow": 2.0}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"recover": "2"}, "expected one of k, n, .*, direction.CHANNEL, .*, got 'recover'; did you mean 'recovery'?"),
        ({"k.flow": "2"}, "expected one of k, n, .*, got 'k.flow'$"),
        ({"k": "two"}, "--alarm k: expected a value such as 1, got 'two'"),
        ({"k": "3"}, "expected 1 <= k <= n"),
        ({"direction": "up"}, "expected direction above, below or both"),
        (
            {"direction": "above", "direction.flow": "below"},
            "direction either for all channels or by channel, got both",
        ),
        (
            {"direction.flow": "above", "direction": "below"},
            "direction either for all channels or by channel, got both",
        ),
    ],
)
def test_what_is_wrong_is_told(texts: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_policy(texts)
