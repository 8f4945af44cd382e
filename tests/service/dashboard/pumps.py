"""The pumps that the tests of the dashboard look at: the simulated plant, with breakdowns at chosen times."""

from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path

from service.simulate.faults import Fault, Kind
from service.simulate.history import write_csv
from service.simulate.plant import Plant, Slot
from service.simulate.pumps import CHANNELS

INTERVAL_MS = 30_000
HOURS = 6
DAY_MS = 86_400_000
_MONDAY_MS = 1_767_225_600_000 + 4 * DAY_MS  # 5 January 2026, in UTC
_END_MS = _MONDAY_MS + 3 * DAY_MS + 9_000_000  # half past two on Thursday: the town sleeps
SEED = 1
NAMES = Plant(6, INTERVAL_MS, SEED, has_faults=False).names
LEAKING, WORN, SPIKY, DRIFTED, DRIFTING, SOUND = (NAMES[place] for place in (3, 0, 1, 5, 4, 2))
BROKEN = (LEAKING, WORN, DRIFTING)  #: in the end
_MINUTE_MS = 60_000
_CHANNEL = {name: place for place, name in enumerate(CHANNELS)}


class Pumps(Plant):
    """A plant whose own time ends at _END_MS whenever it ends: the hour of its day, and so its values, never change."""

    def __init__(self, end: int, faults: Sequence[Fault] = ()) -> None:
        super().__init__(len(NAMES), INTERVAL_MS, SEED, has_faults=bool(faults))
        self._ahead_ms = end - _END_MS
        self._faults = faults

    def run(self, start: int) -> Iterator[Slot]:
        for slot in super().run(start - self._ahead_ms):
            yield slot._replace(time=slot.time + self._ahead_ms)

    def fault_at(self, time: int) -> Fault | None:
        return next((fault for fault in self._faults if fault.grown(time)), None)


def write_history(end: int, path: Path) -> None:
    """Write the sound Monday before `end` as a CSV file."""
    start = end - (_END_MS - _MONDAY_MS)
    write_csv(Pumps(end), start, start + DAY_MS, path)


def readings(end: int) -> Iterator[tuple[int, list[tuple[str, dict[str, float]]]]]:
    """Yield the time of each slot, from HOURS before `end` on, and what each pump sends then.

    A pump is taken from a plant of its own, as in one plant only one thing is broken at a time; the others know nothing
    of it.
    """
    faults = _faults(_END_MS)
    plants = [Pumps(end, [fault for fault in faults if fault.pump == pump]) for pump in range(len(NAMES))]
    for slots in zip(*(plant.run(end - HOURS * 60 * _MINUTE_MS) for plant in plants), strict=True):
        sent = []
        for pump, (name, slot) in enumerate(zip(NAMES, slots, strict=True)):
            values = dict(zip(CHANNELS, slot.values[pump].tolist(), strict=True))
            if all(map(isfinite, values.values())):
                sent.append((name, values))
        yield slots[0].time, sent


def _faults(end: int) -> list[Fault]:
    """Return what breaks; a leak, a bearing and a sensor are not mended before the end; a site lost water."""

    def fault(kind: Kind, pump: str, ago: int, minutes: int, channel: str | None = None) -> Fault:
        start = end - ago * _MINUTE_MS
        place = None if channel is None else _CHANNEL[channel]
        return Fault(kind, NAMES.index(pump), place, start, start + minutes * _MINUTE_MS)

    return [
        *(fault(Kind.LEAK, pump, 170, 12) for pump in NAMES if pump.startswith("south")),
        fault(Kind.SPIKES, SPIKY, 280, 8, "power"),
        fault(Kind.DRIFT, DRIFTED, 85, 20, "pressure"),
        fault(Kind.DRIFT, DRIFTING, 18, 600, "power"),
        fault(Kind.WEAR, WORN, 27, 600),
        fault(Kind.LEAK, LEAKING, 9, 600),
    ]
