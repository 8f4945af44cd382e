"""The search space: what a search may try for each hyperparameter.

A family is only offered the fields that it has, and a field that is not here keeps its default.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from models.families import FAMILIES
from models.spec import TrainingSpec

if TYPE_CHECKING:
    from optuna import Trial

FAMILY = "family"


@dataclass(frozen=True, slots=True)
class Among:
    """One of a few values."""

    values: tuple[Any, ...]

    def propose(self, trial: "Trial", name: str) -> Any:
        """Let the search choose a value."""
        return trial.suggest_categorical(name, self.values)

    def holds(self, value: Any) -> bool:
        """Tell whether the search could choose this value."""
        return value in self.values


@dataclass(frozen=True, slots=True)
class Scale:
    """A number from `low` to `high`, as likely between 1 and 2 as between 10 and 20."""

    low: float
    high: float

    def propose(self, trial: "Trial", name: str) -> float:
        """Let the search choose a value."""
        return trial.suggest_float(name, self.low, self.high, log=True)

    def holds(self, value: Any) -> bool:
        """Tell whether the search could choose this value."""
        return bool(self.low <= value <= self.high)


OF_NETWORK: Mapping[str, Among | Scale] = {
    "units": Among((None, 8, 16, 32, 64, 128)),
    "layers": Among((1, 2, 3)),
    "lookback": Among((8, 16, 24, 48, 96)),
    "dropout": Among((0.0, 0.1, 0.3)),
    "recurrent_dropout": Among((0.0, 0.1, 0.3)),
    "activation": Among(("tanh", "relu")),
    "calendar": Among((True, False)),
    "skip": Among((True, False)),
    "season": Among((24, 48, 96, 144, 168, 288)),
}
OF_TRAINING: Mapping[str, Among | Scale] = {
    "learning_rate": Scale(5e-4, 2e-2),
    "batch_size": Among((16, 32, 64, 128)),
    "stretch": Among((32, 96, 288)),
    "l2": Among((0.0, 1e-6, 1e-5, 1e-4)),
}


def choices(family: str, fixed: Iterable[str]) -> dict[str, Among | Scale]:
    """Return what may be tried for each field of a family that is not fixed."""
    known = FAMILIES[family]
    found = {name: choice for name, choice in OF_NETWORK.items() if name in known.fields}
    if known.fitted == "gradient":
        found |= OF_TRAINING
    return {name: choice for name, choice in found.items() if name not in set(fixed)}


def defaults(family: str, fixed: Iterable[str]) -> dict[str, Any]:
    """Return a family's own defaults of the fields that may be tried, where a search could choose them."""
    usual = {each.name: each.default for each in fields(TrainingSpec)} | dict(FAMILIES[family].fields)
    return {name: usual[name] for name, choice in choices(family, fixed).items() if choice.holds(usual[name])}


def text_of(value: object) -> str:
    """Return a setting's value as `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def settings_for(family: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Return what a family is given of settings that are meant for several: not the ones that only others have.

    The output stays in any case, since with another one errors are not in deviations, and must not be compared.
    """
    others = {name for each in FAMILIES.values() for name in each.fields} - FAMILIES[family].fields.keys() - {"output"}
    return {name: text for name, text in texts.items() if name not in others} | {FAMILY: family}
