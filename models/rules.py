"""Rules: what a hyperparameter may be, and how it is read from text."""

import math
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from edge.errors import ConfigError


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
    """A whole number of at least `least` and at most `most`."""

    least: int
    most: float = math.inf

    @property
    def expected(self) -> str:
        """Say what is allowed."""
        return f"a whole number of at least {self.least}" + ("" if self.most == math.inf else f", at most {self.most}")

    def allows(self, value: object) -> bool:
        """Tell whether the value may stand in the field."""
        return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most

    def read(self, text: str) -> object:
        """Turn text into a value."""
        return int(text)


@dataclass(frozen=True, slots=True)
class Between:
    """A number below `high` and above `low`, or from `low` on."""

    low: float
    high: float = math.inf
    low_too: bool = False

    @property
    def expected(self) -> str:
        """Say what is allowed."""
        begin = f"a number {'of at least' if self.low_too else 'above'} {self.low:g}"
        return begin + ("" if self.high == math.inf else f" and below {self.high:g}")

    def allows(self, value: object) -> bool:
        """Tell whether the value may stand in the field."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return self.low < value < self.high or (self.low_too and value == self.low)

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


def may_be(rule: Rule, default: Any) -> Any:
    """Return a dataclass field with a rule and a default."""
    return field(default=default, metadata={"rule": rule})


def rule_of(each: Any) -> Rule:
    """Return the rule of a dataclass field."""
    rule: Rule = each.metadata["rule"]
    return rule


def check(spec: Any, unset: frozenset[str] = frozenset()) -> None:
    """Raise ConfigError unless each field is what its rule allows; the unset ones may be None."""
    for each in fields(spec):
        value, rule = getattr(spec, each.name), rule_of(each)
        if not (rule.allows(value) or (value is None and each.name in unset)):
            raise ConfigError(f"{each.name}: expected {rule.expected}, got {value!r}")
