"""The families of networks, one file each.

A family is the body of a forecaster: what comes before the head. The same weights work in two ways,
over a whole sequence to train and one slot at a time to serve.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from models.spec import ForecasterSpec

FAMILIES = {
    "lstm": "models.families.lstm:LSTM",
    "gru": "models.families.gru:GRU",
    "elman": "models.families.elman:Elman",
    "mlp": "models.families.mlp:MLP",
}  #: name -> module:class; a module is imported when it is opened, since Keras takes seconds


class Body(Protocol):
    """A Keras layer made from a spec and the number of inputs C'; zeros are the memory of a stream's beginning."""

    memory_size: int  #: S, float32 numbers of memory a stream

    def __call__(self, x: Any) -> Any:
        """Return the features (B, T, U) of a whole sequence (B, T, C'), beginning with no memory."""
        ...

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the features (B, U) of one slot (B, C') and the memory (B, S) after it."""
        ...


def open_family(spec: "ForecasterSpec", inputs: int) -> Body:
    """Return a new body of the spec's family for so many inputs."""
    module, _, name = FAMILIES[spec.family].partition(":")
    body: Body = getattr(import_module(module), name)(spec, inputs)
    return body
