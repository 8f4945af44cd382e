"""Autoregression: a linear forecast beneath a network, fitted in closed form; the network adds what it misses."""

from typing import Any

import keras

from models.families.window import Windowed
from models.head import shaped
from models.spec import ForecasterSpec


class Autoregression(keras.layers.Layer):  # type: ignore[misc]
    """Adds to a forecast what is linear in the values of the last K slots, K being the spec's order.

    Its memory is the values of the last K - 1 slots, (K - 1) C. Its weights begin at zero, are solved for before the
    network is trained, and stay. A network that learns from few slots is then no worse than the linear forecast (Zhang
    2003: hybrid ARIMA and neural network).
    """

    def __init__(self, spec: ForecasterSpec, channels: int) -> None:
        super().__init__(name="autoregression")
        self._shape = (spec.horizon, channels)
        self._window = Windowed(keras.layers.Flatten(), spec.order)
        self.solved = keras.layers.Dense(
            spec.horizon * channels, kernel_initializer="zeros", trainable=False, name="solved"
        )

    @property
    def is_solved(self) -> bool:
        """Tell whether it adds anything."""
        return any(each.any() for each in self.solved.get_weights())

    def call(self, x: Any) -> Any:
        """Return the linear part (B, T, H, C) of the forecasts made at each slot of a sequence (B, T, C')."""
        return shaped(self.solved(self.features(x)), self._shape)

    def features(self, x: Any) -> Any:
        """Return the windows (B, T, K C) that end at each slot of a sequence (B, T, C')."""
        return self._window(x[..., : self._shape[1]])

    def step(self, x: Any, memory: Any) -> tuple[Any, Any]:
        """Return the linear part (B, H, C) of the forecast made at one slot (B, C'), and the memory after it."""
        features, after = self._window.step(x[:, : self._shape[1]], memory)
        return shaped(self.solved(features), self._shape), after
