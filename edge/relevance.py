"""Which deviations count: by direction and by least size, channel by channel."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.alarm import AlarmPolicy
from edge.errors import ConfigError

_T = TypeVar("_T")


class Relevance:
    """What a policy says of deviations, for the channels of one bundle."""

    def __init__(self, policy: AlarmPolicy, channels: Sequence[str]) -> None:
        direction = _by_channel("direction", policy.direction, "both", channels)
        self._above = np.array([each != "below" for each in direction])
        self._below = np.array([each != "above" for each in direction])
        self._least = np.array(_by_channel("least_absolute", policy.least_absolute, 0.0, channels))
        self._share = np.array(_by_channel("least_relative", policy.least_relative, 0.0, channels))
        #: whether there is a deviation that does not count
        self.chooses = not (self._above & self._below).all() or bool(self._least.any() or self._share.any())

    def counts(self, value: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which deviations of values from expected ones count; all (n, C), in units. A missing one does not."""
        deviation = value - expected
        least = np.maximum(self._least, self._share * np.abs(expected))
        counts: NDArray[np.bool_] = np.where(deviation > 0, self._above, self._below) & (np.abs(deviation) >= least)
        return counts


def _by_channel(name: str, setting: _T | Mapping[str, _T], default: _T, channels: Sequence[str]) -> list[_T]:
    if not isinstance(setting, Mapping):
        return [setting] * len(channels)
    if unknown := sorted(set(setting) - set(channels)):
        raise ConfigError(f"alarm: {name}: expected channels among {', '.join(channels)}, got {', '.join(unknown)}")
    return [setting.get(channel, default) for channel in channels]
