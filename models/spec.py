"""What is trained and how: every hyperparameter, with its default and what it may be.

A hyperparameter is one field here. Its rule is checked when a spec is made, and its text form is what
`foresense train --set NAME=VALUE` takes.
"""

import math
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Protocol

from edge.errors import ConfigError
from models.families import FAMILIES


class Rule(Protocol):
    """What a field may be."""

    @property
    def expected(self) -> str:
        """Say what is allowed."""
        ...

    def allows(self, value: object) -> bool:
        """Tell whether the value may stand in the field."""
        ...

    def read(self, text: str) -> object:
        """Turn text into a value; ValueError if it is none of the kind."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number of at least `least`."""

    least: int

    @property
    def expected(self) -> str:
        """Say what is allowed."""
        return f"a whole number of at least {self.least}"

    def allows(self, value: object) -> bool:
        """Tell whether the value may stand in the field."""
        return isinstance(value, int) and not isinstance(value, bool) and value >= self.least

    def read(self, text: str) -> object:
        """Turn text into a value."""
        return int(text)


@dataclass(frozen=True, slots=True)
class Between:
    """A number above `low` and below `high`."""

    low: float
    high: float = math.inf

    @property
    def expected(self) -> str:
        """Say what is allowed."""
        return f"a number above {self.low:g}" + ("" if self.high == math.inf else f" and below {self.high:g}")

    def allows(self, value: object) -> bool:
        """Tell whether the value may stand in the field."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low < value < self.high

    def read(self, text: str) -> object:
        """Turn text into a value."""
        return float(text)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        """Say what is allowed."""
        return f"one of {', '.join(self.words)}"

    def allows(self, value: object) -> bool:
        """Tell whether the value may stand in the field."""
        return value in self.words

    def read(self, text: str) -> object:
        """Turn text into a value."""
        return text


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    expected: str = "true or false"

    def allows(self, value: object) -> bool:
        """Tell whether the value may stand in the field."""
        return isinstance(value, bool)

    def read(self, text: str) -> object:
        """Turn text into a value."""
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)


def _may_be(rule: Rule, default: Any) -> Any:
    return field(default=default, metadata={"rule": rule})


def _check(spec: Any) -> None:
    for each in fields(spec):
        rule: Rule = each.metadata["rule"]
        if not rule.allows(value := getattr(spec, each.name)):
            raise ConfigError(f"{each.name}: expected {rule.expected}, got {value!r}")


@dataclass(frozen=True, slots=True)
class ForecasterSpec:
    """The network that is trained."""

    family: str = _may_be(OneOf(tuple(FAMILIES)), "lstm")
    units: int = _may_be(Whole(1), 32)
    lookback: int = _may_be(Whole(2), 24)  #: slots: the window of an MLP, the burn-in of every family
    activation: str = _may_be(OneOf(("tanh", "relu", "sigmoid")), "tanh")  #: of an MLP
    horizon: int = _may_be(Whole(1), 1)  #: slots forecast at each step
    calendar: bool = _may_be(Flag(), True)  #: whether time of day and day of week are inputs
    skip: bool = _may_be(Flag(), True)  #: forecast = the channels' last values + the network's output

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """How it is trained."""

    epochs: int = _may_be(Whole(1), 200)  #: at most
    patience: int = _may_be(Whole(1), 12)  #: epochs without a better held-out error before it stops
    batch_size: int = _may_be(Whole(1), 64)  #: stretches a step; fewer where there are few
    learning_rate: float = _may_be(Between(0, 1), 0.005)
    stretch: int = _may_be(Whole(1), 96)  #: targets a training stretch
    validation: float = _may_be(Between(0, 0.9), 0.25)  #: share held out, the last in time of every stream
    clip_norm: float = _may_be(Between(0), 1.0)  #: of the gradient
    seed: int = _may_be(Whole(0), 0)

    def __post_init__(self) -> None:
        _check(self)


def read_settings(texts: dict[str, str]) -> tuple[ForecasterSpec, TrainingSpec]:
    """Return both specs with the fields given as text; ConfigError names the nearest field to an unknown one."""
    rules = {each.name: each.metadata["rule"] for spec in (ForecasterSpec, TrainingSpec) for each in fields(spec)}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in rules:
            near = get_close_matches(name, rules, 1)
            raise ConfigError(
                f"setting: expected {f'{near[0]!r} perhaps, or another ' if near else ''}"
                f"one of {', '.join(rules)}, got {name!r}"
            )
        try:
            values[name] = rules[name].read(text)
        except ValueError as error:
            raise ConfigError(f"{name}: expected {rules[name].expected}, got {text!r}") from error
    network = {each.name for each in fields(ForecasterSpec)}
    return (
        ForecasterSpec(**{name: value for name, value in values.items() if name in network}),
        TrainingSpec(**{name: value for name, value in values.items() if name not in network}),
    )
