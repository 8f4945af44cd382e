import re
from dataclasses import asdict, fields
from pathlib import Path

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
        ("lookback", 0, "expected a whole number of at least 1, got 0"),
        ("activation", "swish", "expected one of tanh, relu, .*, got 'swish'"),
        ("skip", 1, "expected true or false, got 1"),
        ("dropout", 1.0, "expected a number of at least 0 and below 1, got 1.0"),
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
def test_a_spec_that_is_read_back_is_the_same(family: str) -> None:
    spec = ForecasterSpec(family=family, horizon=3).sized(2)
    assert ForecasterSpec(**asdict(spec)) == spec == spec.sized(2)


def test_a_field_that_is_not_given_has_the_family_s_default() -> None:
    assert ForecasterSpec(family="indrnn").activation == "relu"
    assert ForecasterSpec(family="elman").activation == "tanh"
    assert ForecasterSpec(family="seasonal", season=96).lookback == 96


@pytest.mark.parametrize(
    ("family", "field", "value", "expected"),
    [
        ("lstm", "reset_after", True, r"expected a family that has it \(gru, bigru\), got True for lstm"),
        ("lstm", "season", 24, r"expected a family that has it \(seasonal\), got 24 for lstm"),
        ("perceptron", "units", 8, r"expected a family that has it \(lstm, .*\), got 8 for perceptron"),
        ("tcn", "layers", 2, r"expected a family that has it \(.*\), got 2 for tcn"),
        ("last", "calendar", True, r"expected a family that has it \(.*\), got True for last"),
        ("ar", "head", "gaussian", r"expected a family that has it \(.*\), got 'gaussian' for ar"),
        ("seasonal", "lookback", 8, r"expected a family that has it \(.*\), got 8 for seasonal"),
        ("seasonal", "season", 100_000, "expected a whole number of at least 2, at most 10080, got 100000"),
    ],
)
def test_a_field_that_would_do_nothing_is_refused(family: str, field: str, value: object, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"{field}: {expected}"):
        ForecasterSpec(family=family, **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("channels", "lookback", "horizon", "units"), [(1, 24, 1, 16), (4, 24, 1, 32), (1, 24, 12, 40), (1, 2, 1, 8)]
)
def test_units_that_are_not_given_follow_the_geometric_pyramid(
    channels: int, lookback: int, horizon: int, units: int
) -> None:
    assert ForecasterSpec(lookback=lookback, horizon=horizon).sized(channels).units == units


@pytest.mark.parametrize(
    ("settings", "order"),
    [
        ({}, 3),
        ({"lookback": 2}, 2),
        ({"skip": False}, 0),
        ({"output": "sigmoid"}, 0),
        ({"skip": False, "order": 2}, 2),
        ({"order": 0}, 0),
        ({"order": 24}, 24),
        ({"family": "perceptron"}, 0),
        ({"family": "seasonal"}, 0),
    ],
)
def test_a_linear_forecast_of_three_slots_lies_beneath_hidden_layers_that_better_the_last_value(
    settings: dict[str, object], order: int
) -> None:
    assert ForecasterSpec(**settings).order == order  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"order": 25}, "expected at most 24 with lookback 24 and linear output, got 25"),
        ({"order": 1, "output": "sigmoid"}, "expected at most 0 with lookback 24 and sigmoid output, got 1"),
        ({"order": -1}, "expected a whole number of at least 0, got -1"),
        ({"order": 3, "family": "perceptron"}, r"expected a family that has it \(lstm, .*\), got 3 for perceptron"),
    ],
)
def test_an_order_that_cannot_be_is_refused(settings: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError, match=f"order: {expected}"):
        ForecasterSpec(**settings)  # type: ignore[arg-type]


def test_the_linear_forecast_adds_its_window_to_the_memory() -> None:
    bare, linear = (ForecasterSpec(family="elman", units=5, order=order).memory(2) for order in (0, 3))
    assert linear == bare + 2 * 2


def test_units_that_are_given_are_kept() -> None:
    assert ForecasterSpec(units=3).sized(4).units == 3


def test_a_memory_too_large_for_many_streams_is_refused() -> None:
    with pytest.raises(ConfigError, match="season: expected a memory of at most 65536 numbers a stream, got 80632"):
        ForecasterSpec(family="seasonal", season=10_080).sized(8)
    with pytest.raises(ConfigError, match="lookback: expected a memory of at most 65536"):
        ForecasterSpec(family="mlp", lookback=20_000).sized(1)


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


def test_every_field_of_training_is_in_the_table_with_its_default() -> None:
    readme = (Path(__file__).parents[2] / "models" / "README.md").read_text()
    told = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", readme, re.MULTILINE))
    assert told.keys() >= {each.name for each in fields(TrainingSpec)}
    read = read_settings({each.name: told[each.name] for each in fields(TrainingSpec)})
    assert read[1] == TrainingSpec()


@pytest.mark.parametrize("spec", [ForecasterSpec, TrainingSpec])
def test_every_setting_is_documented(spec: type) -> None:
    text = (Path(__file__).parents[2] / "models" / "README.md").read_text()
    assert [each.name for each in fields(spec) if f"| `{each.name}` |" not in text] == []
