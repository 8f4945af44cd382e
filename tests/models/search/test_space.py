import pytest

from models.families import FAMILIES
from models.search.space import choices, defaults, settings_for
from models.search.tuning import Search
from models.spec import ForecasterSpec, read_settings


@pytest.mark.parametrize("family", FAMILIES)
def test_a_search_may_choose_a_familys_defaults_and_only_fields_that_it_has(family: str) -> None:
    assert defaults(family, ()).keys() == choices(family, ()).keys()
    network = {name: value for name, value in defaults(family, ()).items() if name in FAMILIES[family].fields}
    assert ForecasterSpec(family, **network) == ForecasterSpec(family)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_choice_is_allowed(family: str) -> None:
    for name, choice in choices(family, ()).items():
        for value in getattr(choice, "values", ()) or (choice.low, choice.high):  # type: ignore[union-attr]
            search = Search(None, None, (family,))  # type: ignore[arg-type]
            assert search.specs(family, {name: value})


def test_what_is_fixed_is_not_searched() -> None:
    assert "units" in choices("gru", ())
    assert "units" not in choices("gru", ("units",))


def test_a_network_that_learns_while_it_serves_has_no_training_to_search() -> None:
    assert "learning_rate" not in choices("adaline", ())
    assert "learning_rate" in choices("gru", ())


def test_a_family_is_given_only_the_settings_that_it_has() -> None:
    settings = {"units": "8", "lookback": "12", "epochs": "3", "horizon": "2"}
    assert settings_for("gru", settings) == settings | {"family": "gru"}
    assert settings_for("last", settings) == {"lookback": "12", "epochs": "3", "horizon": "2", "family": "last"}
    read_settings(settings_for("seasonal", settings))
