"""The gain: what a transaction adds to the counters, once it is committed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from service.counters import Counters
from service.pipeline.monitor import Monitor


@dataclass(slots=True)
class Gain:
    """Counts of one transaction, by the names that Counters has for them."""

    replayed: int = 0
    readings: int = 0
    invalid: int = 0
    duplicates: int = 0
    conflicts: int = 0
    late: int = 0
    late_of: Counter[str] = field(default_factory=Counter)  #: the same by monitor
    clock: int = 0
    early: int = 0
    verdicts: int = 0
    unstored: int = 0
    alarms: int = 0

    def add_to(self, counters: Counters) -> None:
        """Add all counts."""
        for name in self.__slots__:
            if count := getattr(self, name):
                setattr(counters, name, getattr(counters, name) + count)


@contextmanager
def counting(monitor: Monitor, gain: Gain) -> Iterator[None]:
    """Add what a monitor's engine meanwhile sets aside, or uses before its time, to a gain."""
    engine = monitor.engine
    before, early = engine.ignored, engine.early
    yield
    ignored = engine.ignored
    gain.invalid += ignored.invalid - before.invalid
    gain.duplicates += ignored.duplicate - before.duplicate
    gain.conflicts += ignored.conflict - before.conflict
    if late := ignored.late - before.late:
        gain.late += late
        gain.late_of[monitor.name] += late
    gain.clock += ignored.clock - before.clock
    gain.early += engine.early - early
