"""Pumps: centrifugal pumps that feed a water network, as their sensors would see them.

Head, as a share of what the pump gives with its outlet shut, is n^2 - K q^2 (the affinity laws; n is speed, q flow,
both over their nominal values); the network takes S + R q^2. Where both are equal is the working point. The bearing's
temperature follows its losses through its own mass; vibration grows with speed, wear and distance from the best flow.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHANNELS = {"flow": "m3/h", "pressure": "bar", "power": "kW", "vibration": "mm/s", "temperature": "degC"}

_PUMP, _STATIC, _NETWORK = 20 / 60, 25 / 60, 15 / 60  # K, S, R
_SHUT_HEAD_M = 60.0
_BAR_A_METRE = 0.0981
_KW_A_M4_H = 9.81 / 3600  # of water lifted
_BEST_FLOW = 0.85  # where a pump is most efficient and calmest
_LEAKY = 0.7  # share of the network's resistance that a full leak takes away
_DRIVE_S, _BEARING_S = 30.0, 1200.0  # time constants


@dataclass(frozen=True, slots=True)
class Load:
    """What acts on the pumps (pumps,): wanted flow and ambient temperature; leak and wear from 0 to 1."""

    wanted: NDArray[np.float64]  #: over the nominal
    ambient: float  #: degC
    leak: NDArray[np.float64]
    wear: NDArray[np.float64]


class Pumps:
    """The state of all pumps, and what is true of them; their sensors are told apart from this."""

    def __init__(self, nominal_m3_h: NDArray[np.float64], load: Load) -> None:
        self._nominal = nominal_m3_h
        self._speed = _speed(load.wanted)
        self._temperature = self._rest(load)

    def step(self, load: Load, seconds: float) -> NDArray[np.float64]:
        """Go on by so long, and return the values (pumps, channels) after it."""
        self._speed += (_speed(load.wanted) - self._speed) * -np.expm1(-seconds / _DRIVE_S)
        self._temperature += (self._rest(load) - self._temperature) * -np.expm1(-seconds / _BEARING_S)
        network = _NETWORK * (1 - _LEAKY * load.leak)
        share = np.sqrt((self._speed**2 - _STATIC).clip(0) / (_PUMP + network))
        flow, head_m = share * self._nominal, _SHUT_HEAD_M * (self._speed**2 - _PUMP * share**2)
        efficiency = 0.75 - 0.6 * (share - _BEST_FLOW) ** 2
        power = _KW_A_M4_H * flow * head_m / efficiency + self._nominal * 0.01 * self._speed * (1 + 1.5 * load.wear)
        vibration = 0.5 + 0.9 * self._speed**2 + 3 * (share - _BEST_FLOW) ** 2 + 4 * load.wear
        return np.stack([flow, head_m * _BAR_A_METRE, power, vibration, self._temperature], axis=1)

    def _rest(self, load: Load) -> NDArray[np.float64]:
        """Return the temperature that the bearings would come to, degC."""
        return load.ambient + 32 * self._speed**3 * (1 + 0.8 * load.wear)


def _speed(wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the speed at which a sound pump in a sound network gives the wanted flow."""
    speed: NDArray[np.float64] = np.sqrt(_STATIC + (_PUMP + _NETWORK) * wanted**2)
    return speed
