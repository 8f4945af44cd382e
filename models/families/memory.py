"""How many float32 numbers of memory a stream of each family needs.

These facts need no Keras, so that families can be listed and refused without it. U are the spec's units, L its
lookback and C' its inputs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.spec import ForecasterSpec

Memory = Callable[["ForecasterSpec", int], int]  #: of a spec for so many channels
KERNEL = 3  #: slots that one convolution of a TCN spans


def nothing(spec: "ForecasterSpec", channels: int) -> int:  # noqa: ARG001
    """Return 0: the last input is all that is needed."""
    return 0


def states(numbers: int) -> Memory:
    """Return the memory of layers of U cells, each with so many numbers."""
    return lambda spec, channels: numbers * spec.layers * spec.units  # noqa: ARG005


def window(spec: "ForecasterSpec", channels: int) -> int:
    """Return the inputs of the L - 1 slots before the present one."""
    return (spec.lookback - 1) * spec.inputs(channels)


def season(spec: "ForecasterSpec", channels: int) -> int:
    """Return the values of the slots before the present one that complete a season."""
    return (spec.season - 1) * channels


def learning_window(spec: "ForecasterSpec", channels: int) -> int:
    """Return inputs of the L + H - 1 slots before the present one, their count, and weights for H C forecasts."""
    slots = spec.lookback + spec.horizon - 1
    weights = (spec.lookback * spec.inputs(channels) + 1) * spec.horizon * channels
    return slots * spec.inputs(channels) + 1 + weights


def convolutions(spec: "ForecasterSpec", channels: int) -> int:
    """Return what each causal convolution still needs of its own past inputs."""
    return sum(reach * width for reach, width in convolution_memories(spec, channels))


def convolution_memories(spec: "ForecasterSpec", channels: int) -> list[tuple[int, int]]:
    """Return past slots and width of the input of each convolution, two a block.

    Dilations double from block to block, until the receptive field 1 + 2 (K - 1) (2^blocks - 1) reaches L.
    """
    memories: list[tuple[int, int]] = []
    dilation, field, width = 1, 1, spec.inputs(channels)
    while field < max(spec.lookback, 2):  # one block at least
        reach = (KERNEL - 1) * dilation
        memories += [(reach, width), (reach, spec.units)]
        dilation, field, width = 2 * dilation, field + 2 * reach, spec.units
    return memories
