"""The plant: pumps at two sites, the day they follow, their sensors and what is broken."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.simulate.faults import PERIOD_MS, Fault, Kind, fault_of
from service.simulate.pumps import CHANNELS, Load, Pumps

SITES = ("north", "south")
_NOISE = np.array([0.25, 0.015, 0.06, 0.05, 0.12])  # of each sensor, standard deviation in its unit
_DIGITS = np.array([2, 3, 3, 3, 2])  # that it sends
_SPIKE = np.array([25.0, 1.5, 4.0, 4.0, 25.0])
_DRIFT = np.array([8.0, 0.6, 1.5, 1.5, 8.0])  # when it has grown
_SPIKES_SHARE = 0.15  # of the readings
_SLOW_S, _SLOW_SIZE = 1800.0, 0.03  # wanted flow wanders by so much within so long


class Slot(NamedTuple):
    """What all sensors say at one time; values (pumps, channels), NaN where nothing is sent."""

    time: int  #: UTC epoch, ms
    values: NDArray[np.float64]
    fault: Fault | None  #: that is there at this time


class Plant:
    """A plant whose every value follows from its seed and the time at which it begins."""

    def __init__(self, pumps: int, interval_ms: int, seed: int, has_faults: bool) -> None:
        self.names = [f"{SITES[i % len(SITES)]}/pump-{i + 1}" for i in range(pumps)]
        self.seed = seed
        self._interval_ms = interval_ms
        self._has_faults = has_faults

    def run(self, start: int) -> Iterator[Slot]:
        """Yield what is sent from a time on, without end, each slot at a multiple of the interval."""
        count, interval_ms = len(self.names), self._interval_ms
        chance = np.random.default_rng([self.seed, count])
        nominal = chance.uniform(40, 80, count)
        wander = np.zeros(count)
        decay = np.exp(-interval_ms / 1000 / _SLOW_S)
        time = -(-start // interval_ms) * interval_ms
        pumps = Pumps(nominal, self._load(time, wander, None))
        last = np.full((count, len(CHANNELS)), np.nan)
        while True:
            fault = self.fault_at(time)
            wander = decay * wander + np.sqrt(1 - decay**2) * _SLOW_SIZE * chance.standard_normal(count)
            true = pumps.step(self._load(time, wander, fault), interval_ms / 1000)
            sensed = true + _NOISE * chance.standard_normal(true.shape)
            last = _sent(sensed, last, fault, time, chance.random(2))
            yield Slot(time, last if fault is None else _heard(last, fault), fault)
            time += interval_ms

    def fault_at(self, time: int) -> Fault | None:
        """Return the fault that is there at a time, if one is."""
        fault = fault_of(self.seed, len(self.names), time // PERIOD_MS)
        return fault if self._has_faults and fault.grown(time) else None

    def faults_between(self, start: int, end: int) -> list[Fault]:
        """Return the faults of which a part is from `start` to before `end`, UTC epoch ms, in their order."""
        periods = range(start // PERIOD_MS, -(-end // PERIOD_MS)) if self._has_faults else ()
        faults = [fault_of(self.seed, len(self.names), period) for period in periods]
        return [fault for fault in faults if fault.start < end and fault.end > start]

    def _load(self, time: int, wander: NDArray[np.float64], fault: Fault | None) -> Load:
        leak, wear = np.zeros(len(wander)), np.zeros(len(wander))
        if fault is not None and fault.kind in (Kind.LEAK, Kind.WEAR):
            (leak if fault.kind == Kind.LEAK else wear)[fault.pump] = fault.grown(time)
        hour = _hour(time)
        ambient = 19 - 4 * np.cos(2 * np.pi * (hour - 4) / 24)
        return Load(demand(time) * (1 + wander), ambient, leak, wear)


def demand(time: int) -> float:
    """Return the flow that a town wants at a time, over the nominal: two peaks a day, and less at weekends."""
    hour, weekday = _hour(time), datetime.fromtimestamp(time / 1000, UTC).weekday()
    morning, evening = np.exp(-(((hour - 8) / 2.2) ** 2)), np.exp(-(((hour - 19) / 2.8) ** 2))
    return float((0.62 + 0.3 * morning + 0.24 * evening) * (0.93 if weekday >= 5 else 1.0))


def _hour(time: int) -> float:
    """Return the hour of the day in UTC, with its fraction."""
    return time % 86_400_000 / 3_600_000


def _sent(
    sensed: NDArray[np.float64],
    last: NDArray[np.float64],
    fault: Fault | None,
    time: int,
    chance: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what the sensors make of what they sense, broken ones among them."""
    sent = sensed.copy()
    if fault is not None and fault.channel is not None:
        place = fault.pump, fault.channel
        match fault.kind:
            case Kind.DRIFT:
                sent[place] += _DRIFT[fault.channel] * fault.grown(time)
            case Kind.SPIKES if chance[0] < _SPIKES_SHARE:
                sent[place] += _SPIKE[fault.channel] * (0.5 + chance[1])
            case Kind.STUCK:
                sent[place] = last[place] if np.isfinite(last[place]) else sent[place]
    scale = 10.0**_DIGITS
    return np.round(sent * scale) / scale


def _heard(sent: NDArray[np.float64], fault: Fault) -> NDArray[np.float64]:
    """Return what reaches the broker."""
    if fault.kind != Kind.SILENCE:
        return sent
    heard = sent.copy()
    heard[fault.pump] = np.nan
    return heard
