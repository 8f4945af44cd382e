"""The families of forecasters, one file each, and what is known of each without Keras.

A family is the body of a forecaster: what comes before the head. The same weights work in two ways,
over a whole sequence to train and one slot at a time to serve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol

from models.families.memory import Memory, convolutions, learning_window, nothing, season, states, window

if TYPE_CHECKING:
    from models.spec import ForecasterSpec


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of a family; its module has `body(spec, channels)`."""

    module: str  #: imported when the family is opened, since Keras takes seconds
    about: str
    kind: Literal["network", "baseline"]
    fitted: Literal["gradient", "closed form", "online", "nothing"]  #: online: its step learns; nothing: no weights
    memory: Memory
    streams: bool  #: whether a step costs the same however far back it looks; if not, its memory is a window
    fields: Mapping[str, object]  #: of the spec that it has, apart from family and horizon, with their defaults
    samples: bool = False  #: whether only some slots of a stretch are targets each time, as each costs a whole window

    @property
    def has_head(self) -> bool:
        """Tell whether a head turns its features into a forecast; else the body gives the forecast itself."""
        return self.fitted in ("gradient", "closed form")

    @property
    def loops(self) -> bool:
        """Tell whether a step holds a loop, over its window; TFLite has one only for a fixed number of rows."""
        return self.samples


_LINEAR = {"lookback": 24, "calendar": True, "skip": True}
_TRAINED = {**_LINEAR, "head": "point", "output": "linear"}
_HIDDEN = {**_TRAINED, "units": None, "dropout": 0.0, "order": 3}  # None: a rule of thumb decides
_CELLS = {**_HIDDEN, "layers": 1, "activation": "tanh"}
_GATED = {**_CELLS, "recurrent_activation": "sigmoid", "recurrent_dropout": 0.0}
_GRU = {**_GATED, "reset_after": True}

FAMILIES = {
    "lstm": Family(
        "models.families.lstm", "long short-term memory", "network", "gradient", states(2), streams=True, fields=_GATED
    ),
    "gru": Family(
        "models.families.gru", "gated recurrent units", "network", "gradient", states(1), streams=True, fields=_GRU
    ),
    "elman": Family(
        "models.families.elman",
        "recurrent, fed its own last output",
        "network",
        "gradient",
        states(1),
        streams=True,
        fields={**_CELLS, "recurrent_dropout": 0.0},
    ),
    "jordan": Family(
        "models.families.jordan",
        "recurrent, fed its fading past outputs",
        "network",
        "gradient",
        states(1),
        streams=True,
        fields=_CELLS,
    ),
    "indrnn": Family(
        "models.families.indrnn",
        "independently recurrent neurons",
        "network",
        "gradient",
        states(1),
        streams=True,
        fields={**_CELLS, "activation": "relu"},
    ),
    "bilstm": Family(
        "models.families.bilstm",
        "LSTM, forwards and backwards",
        "network",
        "gradient",
        window,
        streams=False,
        fields=_GATED,
        samples=True,
    ),
    "bigru": Family(
        "models.families.bigru",
        "GRU, forwards and backwards",
        "network",
        "gradient",
        window,
        streams=False,
        fields=_GRU,
        samples=True,
    ),
    "tcn": Family(
        "models.families.tcn",
        "dilated causal convolutions",
        "network",
        "gradient",
        convolutions,
        streams=True,
        fields={**_HIDDEN, "activation": "relu"},
    ),
    "mlp": Family(
        "models.families.mlp", "hidden layers on a window", "network", "gradient", window, streams=False, fields=_CELLS
    ),
    "perceptron": Family(
        "models.families.perceptron",
        "linear in a window",
        "network",
        "gradient",
        window,
        streams=False,
        fields=_TRAINED,
    ),
    "adaline": Family(
        "models.families.adaline",
        "linear in a window, learns while it serves",
        "network",
        "online",
        learning_window,
        streams=False,
        fields=_LINEAR,
    ),
    "ar": Family(
        "models.families.perceptron",
        "linear autoregression, all channels together",
        "baseline",
        "closed form",
        window,
        streams=False,
        fields=_LINEAR,
    ),
    "seasonal": Family(
        "models.families.seasonal",
        "the value a season ago",
        "baseline",
        "nothing",
        season,
        streams=False,
        fields={"season": 24},
    ),
    "last": Family(
        "models.families.last",
        "the last value",
        "baseline",
        "nothing",
        nothing,
        streams=True,
        fields={"lookback": 24},
    ),
}


class Body(Protocol):
    """A Keras layer made from a spec and the number of channels; zeros are the memory of a stream's beginning."""

    def __call__(self, x: Any, at: Any = None) -> Any:
        """Return the features (B, T, U) of a whole sequence (B, T, C'), beginning with no memory.

        Given slots `at` (n,), a body whose family samples returns theirs alone (B, n, U).
        """
        ...

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the features (B, U) of one slot (B, C') and the memory (B, S) after it."""
        ...


def open_family(spec: "ForecasterSpec", channels: int) -> Body:
    """Return a new body of the spec's family for so many channels; the spec says its units."""
    body: Body = import_module(FAMILIES[spec.family].module).body(spec, channels)
    return body
