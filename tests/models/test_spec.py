import pytest

from edge.errors import ConfigError
from models.families import FAMILIES
from models.spec import ForecasterSpec, TrainingSpec, read_settings


def test_defaults_are_allowed() -> None:
    assert ForecasterSpec().family == "lstm"
    assert TrainingSpec().validation == 0.25


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("family", "lstn", "expected one of lstm, gru, .*, got 'lstn'"),
        ("units", 0, "expected a whole number of at least 1, got 0"),
        ("units", 2.5, "expected a whole number of at least 1, got 2.5"),
        ("units", True, "expected a whole number of at least 1, got True"),
        ("lookback", 1, "expected a whole number of at least 2, got 1"),
        ("activation", "swish", "expected one of tanh, relu, sigmoid, got 'swish'"),
        ("skip", 1, "expected true or false, got 1"),
    ],
)
def test_a_network_field_says_what_it_may_be(field: str, value: object, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"{field}: {expected}"):
        ForecasterSpec(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("validation", 0.95, "expected a number above 0 and below 0.9, got 0.95"),
        ("learning_rate", 0.0, "expected a number above 0 and below 1, got 0.0"),
        ("clip_norm", float("nan"), "expected a number above 0, got nan"),
        ("epochs", -1, "expected a whole number of at least 1, got -1"),
    ],
)
def test_a_training_field_says_what_it_may_be(field: str, value: object, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"{field}: {expected}"):
        TrainingSpec(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_registered_family_may_be_chosen(family: str) -> None:
    assert ForecasterSpec(family=family).family == family


def test_settings_are_read_from_text() -> None:
    spec, training = read_settings({"units": "64", "calendar": "no", "learning_rate": "1e-3", "family": "gru"})
    assert spec == ForecasterSpec(family="gru", units=64, calendar=False)
    assert training == TrainingSpec(learning_rate=0.001)


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'lookback' perhaps.*got 'lookbak'"):
        read_settings({"lookbak": "3"})


@pytest.mark.parametrize(("name", "text"), [("units", "many"), ("skip", "maybe"), ("epochs", "1.5")])
def test_text_that_is_no_value_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: expected .*, got '{text}'"):
        read_settings({name: text})
