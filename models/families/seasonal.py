"""Seasonal naive: the value of the same slot a season ago, such as this time yesterday (Hyndman 2021, ch. 5.2)."""

from typing import Any

import keras
from keras import ops

from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> "SeasonalNaive":
    """Return the forecast of the spec's season over its horizon."""
    return SeasonalNaive(spec.season, spec.horizon, channels)


class SeasonalNaive(keras.layers.Layer):  # type: ignore[misc]
    """Forecasts each channel's value M slots before; the memory is the last M - 1 values, S = (M - 1) C.

    A horizon of more than a season repeats it. Slots before the beginning are zeros.
    """

    def __init__(self, season: int, horizon: int, channels: int) -> None:
        super().__init__(name="body")
        self._season, self._channels = season, channels
        self._ahead = [slot % season for slot in range(horizon)]  # 0: the oldest slot of the season

    def call(self, x: Any) -> Any:
        """Return the forecasts (B, T, H C) of a sequence (B, T, C)."""
        slots = ops.shape(x)[1]
        padded = ops.pad(x, ((0, 0), (self._season - 1, 0), (0, 0)))
        return ops.concatenate([padded[:, first : first + slots] for first in self._ahead], axis=2)

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the forecast (B, H C) of one slot (B, C) and the memory (B, S) after it."""
        season, width = ops.concatenate([memory, x], axis=1), self._channels
        forecast = [season[:, width * slot : width * (slot + 1)] for slot in self._ahead]
        return ops.concatenate(forecast, axis=1), season[:, width:]
