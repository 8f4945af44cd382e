"""What is trained and how: every hyperparameter, with its default and what it may be.

A hyperparameter is one field here. Its rule is checked when a spec is made, and its text form is what
`foresense train --set NAME=VALUE` takes.
"""

from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Self

from edge.calendar import CALENDAR_INPUTS
from edge.errors import ConfigError
from models.families import FAMILIES
from models.hidden import rule_of_thumb
from models.rules import Between, Flag, OneOf, Whole, check, may_be, rule_of

ACTIVATIONS = ("tanh", "relu", "sigmoid", "elu", "gelu", "silu", "softplus", "softsign", "linear")
GATES = ("sigmoid", "hard_sigmoid", "tanh")
LOSSES = ("huber", "mse", "rmse", "mae", "likelihood", "cross_entropy")
MOST_SEASON = 10_080  #: slots; a week of minutes
MOST_MEMORY = 1 << 16  #: numbers a stream, 256 KiB: 10,000 streams are 2.6 GB
_ABSENT = {"calendar": False, "head": "point", "output": "linear", "order": 0}  # a seasonal lookback is its season


@dataclass(frozen=True, slots=True)
class ForecasterSpec:
    """The forecaster that is trained.

    A field that is not given has the family's default. One that the family does not have is None, or what
    `_ABSENT` says, and is refused when it is given.
    """

    family: str = may_be(OneOf(tuple(FAMILIES)), "lstm")
    units: int = may_be(Whole(1), None)  #: of each layer; None until `sized`, if not given
    layers: int = may_be(Whole(1), None)
    season: int = may_be(Whole(2, MOST_SEASON), None)  #: slots
    lookback: int = may_be(Whole(1), None)  #: slots: the window, and the burn-in of every family
    activation: str = may_be(OneOf(ACTIVATIONS), None)
    recurrent_activation: str = may_be(OneOf(GATES), None)  #: of the gates
    reset_after: bool = may_be(Flag(), None)  #: whether a GRU resets after the product with its weights
    dropout: float = may_be(Between(0, 1, low_too=True), None)  #: share of each layer's features, while it is trained
    recurrent_dropout: float = may_be(
        Between(0, 1, low_too=True), None
    )  #: likewise, of what cells are fed of their own
    horizon: int = may_be(Whole(1), 1)  #: slots forecast at each step
    calendar: bool = may_be(Flag(), None)  #: whether time of day and day of week are inputs
    skip: bool = may_be(Flag(), None)  #: forecast = the channels' last values + the network's output
    head: str = may_be(OneOf(("point", "gaussian", "student_t")), None)  #: a forecast alone, or with its width
    output: str = may_be(OneOf(("linear", "sigmoid", "softmax")), None)  #: the last two of values in 0..1
    order: int = may_be(Whole(0), None)  #: slots of the linear forecast beneath the network; 0: there is none

    def __post_init__(self) -> None:
        check(self, frozenset(each.name for each in fields(self)) - {"family", "horizon"})
        self._settle()
        if self.head != "point" and self.output != "linear":
            raise ConfigError(f"output: expected linear with a {self.head} head, got {self.output}")
        if self.order > (most := self.lookback if self.output == "linear" else 0):
            given = f"lookback {self.lookback} and {self.output} output"
            raise ConfigError(f"order: expected at most {most} with {given}, got {self.order}")

    def inputs(self, channels: int) -> int:
        """Return C', the width of x for so many channels."""
        return channels + (len(CALENDAR_INPUTS) if self.calendar else 0)

    def memory(self, channels: int) -> int:
        """Return S, the numbers of memory a stream of so many channels has; the spec must be `sized`."""
        return FAMILIES[self.family].memory(self, channels) + max(self.order - 1, 0) * channels

    def sized(self, channels: int) -> Self:
        """Return the spec with its units, by the rule of thumb if not given; ConfigError if its memory is absurd."""
        undecided = "units" in FAMILIES[self.family].fields and self.units is None
        spec = replace(self, units=rule_of_thumb(self, channels)) if undecided else self
        if (memory := spec.memory(channels)) > MOST_MEMORY:
            size = "season" if spec.season else "lookback"
            raise ConfigError(
                f"{size}: expected a memory of at most {MOST_MEMORY} numbers a stream, got {memory} "
                f"with {size} {spec.lookback} and {channels} channels"
            )
        return spec

    def _settle(self) -> None:
        """Fill in the family's defaults and refuse what would do nothing."""
        family = FAMILIES[self.family]
        for each in fields(self):
            given, name = getattr(self, each.name), each.name
            if name in ("family", "horizon") or (name == "order" and name in family.fields):
                continue
            absent = self.season if name == "lookback" else _ABSENT.get(name)
            if name not in family.fields and given not in (None, absent):
                have = ", ".join(other for other, its in FAMILIES.items() if name in its.fields)
                raise ConfigError(f"{name}: expected a family that has it ({have}), got {given!r} for {self.family}")
            if given is None:
                object.__setattr__(self, name, family.fields.get(name, absent))
        if self.order is None:
            beneath = min(family.fields["order"], self.lookback) if self.skip and self.output == "linear" else 0
            object.__setattr__(self, "order", beneath)


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """How it is trained."""

    loss: str = may_be(OneOf(("auto", *LOSSES)), "auto")  #: auto: what suits the head and the output
    knee: float = may_be(Between(0), 0.3)  #: deviations; huber is square below and straight above
    optimizer: str = may_be(OneOf(("adam", "rmsprop", "sgd")), "adam")
    momentum: float = may_be(Between(0, 1, low_too=True), 0.0)  #: of sgd and rmsprop
    nesterov: bool = may_be(Flag(), False)  #: whether the momentum of sgd looks ahead
    learning_rate: float = may_be(Between(0, 1), 0.005)
    schedule: str = may_be(OneOf(("plateau", "constant", "cosine", "exponential")), "plateau")  #: of the learning rate
    decay: float = may_be(Between(0, 1), 0.97)  #: what an exponential schedule multiplies it by, each epoch
    clip_norm: float = may_be(Between(0), 1.0)  #: of the gradient
    l1: float = may_be(Between(0, low_too=True), 0.0)  #: times the sum of absolute kernel weights is added to the loss
    l2: float = may_be(Between(0, low_too=True), 0.0)  #: times the sum of squared kernel weights is added to the loss
    epochs: int = may_be(Whole(1), 200)  #: at most
    patience: int = may_be(Whole(1), 12)  #: epochs that are no better before it stops
    target_error: float = may_be(Between(0, low_too=True), 0.0)  #: held-out error at which it stops, scaled; 0: none
    batch_size: int = may_be(Whole(1), 64)  #: stretches a step; fewer where there are few
    stretch: int = may_be(Whole(1), 96)  #: targets a training stretch
    validation: float = may_be(Between(0, 0.9), 0.25)  #: share held out, the last in time of every stream
    seed: int = may_be(Whole(0), 0)

    def __post_init__(self) -> None:
        check(self)
        if self.momentum and self.optimizer == "adam":
            raise ConfigError(f"momentum: expected 0 with adam, which has its own, got {self.momentum:g}")
        if self.nesterov and not (self.optimizer == "sgd" and self.momentum):
            raise ConfigError(f"nesterov: expected sgd with a momentum, got {self.optimizer} with {self.momentum:g}")


def loss_of(spec: ForecasterSpec, training: TrainingSpec) -> str:
    """Return the loss that a forecaster is trained with; ConfigError if it does not suit its head or output."""
    if spec.head != "point":
        suits: tuple[str, ...] = ("likelihood",)
    elif spec.output == "linear":
        suits = ("huber", "mse", "rmse", "mae")
    else:
        suits = ("cross_entropy", "huber", "mse", "rmse", "mae")
    if training.loss == "auto":
        return suits[0]
    if training.loss not in suits:
        raise ConfigError(
            f"loss: expected {' or '.join(suits)} for a {spec.head} head with {spec.output} output, got {training.loss}"
        )
    return training.loss


def read_settings(texts: dict[str, str]) -> tuple[ForecasterSpec, TrainingSpec]:
    """Return both specs with the fields given as text; ConfigError names the nearest field to an unknown one."""
    rules = {each.name: rule_of(each) for spec in (ForecasterSpec, TrainingSpec) for each in fields(spec)}
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
    spec = ForecasterSpec(**{name: value for name, value in values.items() if name in network})
    training = TrainingSpec(**{name: value for name, value in values.items() if name not in network})
    loss_of(spec, training)
    return spec, training
