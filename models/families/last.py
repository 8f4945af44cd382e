"""The last value: the forecast that nothing changes, which every network must beat."""

from typing import Any

import keras
from keras import ops

from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> "LastValue":  # noqa: ARG001
    """Return the forecast of the last value over the spec's horizon."""
    return LastValue(spec.horizon)


class LastValue(keras.layers.Layer):  # type: ignore[misc]
    """Forecasts each channel's last value; it needs no memory, S = 0."""

    def __init__(self, horizon: int) -> None:
        super().__init__(name="body")
        self._horizon = horizon

    def call(self, x: Any) -> Any:
        """Return the forecasts (B, T, H C) of a sequence (B, T, C)."""
        return ops.tile(x, (1, 1, self._horizon))

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the forecast (B, H C) of one slot (B, C) and no memory (B, 0)."""
        return ops.concatenate([x] * self._horizon, axis=1), memory  # a microcontroller has no operator that tiles
