"""Faults: what breaks, when, and how far it has gone; the same of one seed however often and whenever it is asked."""

from enum import StrEnum
from typing import NamedTuple

import numpy as np

from service.simulate.pumps import CHANNELS

PERIOD_MS = 45 * 60_000  #: one fault begins in each
_EARLIEST_MS, _LATEST_MS = 8 * 60_000, 15 * 60_000  # within the period; all are over before the next


class Kind(StrEnum):
    """What can break: the first two in the plant, the others in a sensor or its link."""

    LEAK = "leak"  #: the network loses water: more flow, less pressure
    WEAR = "bearing wear"  #: grows: vibration, power, then temperature
    STUCK = "stuck"  #: a sensor says what it said last
    DRIFT = "drift"  #: a sensor moves away from the truth little by little
    SPIKES = "spikes"  #: a sensor's readings are far off now and then
    SILENCE = "silence"  #: a pump sends nothing


_MINUTES = {Kind.LEAK: 12, Kind.WEAR: 25, Kind.STUCK: 12, Kind.DRIFT: 20, Kind.SPIKES: 8, Kind.SILENCE: 8}
_RISE_MINUTES = {Kind.LEAK: 2, Kind.WEAR: 20, Kind.DRIFT: 15}  # until all of it is there; of others at once
_OF_A_SENSOR = {Kind.STUCK, Kind.DRIFT, Kind.SPIKES}


class Fault(NamedTuple):
    """Something that is broken for a while; then it is mended at once."""

    kind: Kind
    pump: int
    channel: int | None  #: of the sensor, if it is one
    start: int  #: UTC epoch, ms
    end: int

    def grown(self, time: int) -> float:
        """Return how far it has gone at a time, from 0 to 1."""
        if not self.start <= time < self.end:
            return 0.0
        return min((time - self.start + 1) / (60_000 * _RISE_MINUTES.get(self.kind, 1e-6)), 1.0)


def fault_of(seed: int, pumps: int, period: int) -> Fault:
    """Return the fault of a period, which is counted from the epoch; the kinds follow each other in turn."""
    chance = np.random.default_rng([seed, period])
    kind = list(Kind)[period % len(Kind)]
    start = period * PERIOD_MS + int(chance.integers(_EARLIEST_MS, _LATEST_MS))
    pump, channel = int(chance.integers(pumps)), int(chance.integers(len(CHANNELS) - 1))  # temperature is too slow
    return Fault(kind, pump, channel if kind in _OF_A_SENSOR else None, start, start + 60_000 * _MINUTES[kind])
