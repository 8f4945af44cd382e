"""Across channels: what the channels of a slot say together. Where there is one channel, it is that one's column."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_ONES = np.array([number.bit_count() for number in range(256)], np.uint8)
_T = TypeVar("_T", np.float32, np.float64, np.int64)


def greatest(values: NDArray[_T]) -> NDArray[_T]:
    """Return the greatest of each row's values (n, C); none of them is NaN."""
    if values.shape[1] == 1:
        return values[:, 0]
    most: NDArray[_T] = np.maximum.reduce(values, axis=1)
    return most


def leading(values: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return which of each row's values (n, C) is the greatest."""
    if values.shape[1] == 1:
        return np.zeros(len(values), np.int16)
    most: NDArray[np.int16] = values.argmax(axis=1).astype(np.int16)
    return most


def any_of(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether any of each row's flags (n, C) is set."""
    if flags.shape[1] == 1:
        return flags[:, 0]
    found: NDArray[np.bool_] = np.logical_or.reduce(flags, axis=1)
    return found


def all_of(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether all of each row's flags (n, C) are set."""
    if flags.shape[1] == 1:
        return flags[:, 0]
    found: NDArray[np.bool_] = np.logical_and.reduce(flags, axis=1)
    return found


def share_of(flags: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the share of each row's flags (n, C) that are set."""
    if flags.shape[1] == 1:
        return flags[:, 0].astype(np.float32)
    share: NDArray[np.float32] = np.add.reduce(flags, axis=1, dtype=np.float32) / np.float32(flags.shape[1])
    return share


def ones(bits: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.uint8]:
    """Return how many bits are set of each number; NumPy 1, which an old runtime needs, has no function for it."""
    count: NDArray[np.uint8] = _ONES[bits[..., None].view(np.uint8)].sum(axis=-1, dtype=np.uint8)
    return count


def all_set(flags: NDArray[np.bool_]) -> bool:
    """Tell whether all flags are set; many times quicker than all() on a few, as a search among bytes."""
    return False not in flags.tobytes()


def some(flags: NDArray[np.bool_]) -> bool:
    """Tell whether any flag is set; many times quicker than any() on a few, as a search among bytes."""
    return True in flags.tobytes()


def some_number(numbers: NDArray[Any]) -> bool:
    """Tell whether any number is other than 0 (-0.0 is other); many times quicker than any() on a few, as bytes."""
    return numbers.tobytes() != bytes(numbers.nbytes)
