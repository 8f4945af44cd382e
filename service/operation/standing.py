"""The standing: how the service is doing at this moment, for metrics, `foresense status` and the supervisor."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inbox import Inbox
from edge.state import NEVER
from service.counters import Counters
from service.pipeline.monitor import Monitor

_TELL_S = 10.0
STATES = ("learning", "normal", "alarm", "silent")  #: what a stream may be


class MonitorStanding(NamedTuple):
    """How the streams of a monitor are."""

    bundle: str  #: NAME/VERSION
    streams: dict[str, int]  #: how many are in each of the STATES
    newest: int | None  #: time of the newest reading, UTC epoch, ms
    achieved: float | None  #: alarms of all streams so far over those of their budgets; None before these allow one


@dataclass(slots=True)
class Standing:
    """Collects what the threads know of themselves; each attribute has one thread that sets it."""

    counters: Counters
    inbox: Inbox
    service: str = "foresense"  #: name by which this service is told from others
    brokers: Callable[[], Mapping[str, bool]] = dict  #: whether each is connected, by name
    troubles: Callable[[], Mapping[str, str | None]] = dict  #: why a sink has nothing delivered, by name; None: it has
    monitors: Mapping[str, MonitorStanding] = field(default_factory=dict)  #: about a second old
    started_ms: int = 0  #: UTC epoch
    stores_verdicts: bool = True  #: not while the disk is full
    refused: str | None = None  #: why the newest change of the configuration or of a bundle is not in force
    _rated: tuple[float, dict[str, int]] | None = None  # when rates were told last, and the counters then

    def look(self, monitors: Sequence[Monitor]) -> None:
        """Take the streams' states down; for the thread that owns the monitors."""
        self.monitors = {monitor.name: standing_of(monitor) for monitor in monitors}

    @property
    def is_due(self) -> bool:
        """Whether it is time to tell again."""
        return self._rated is None or monotonic() - self._rated[0] >= _TELL_S

    def tell(self) -> dict[str, Any]:
        """Return what is told of a service that runs; the rates are those since the last time."""
        return self.facts() | {"per_second": self._rates()}

    def facts(self) -> dict[str, Any]:
        """Return how the service is doing, but for what needs two looks to be known."""
        return {
            "service": self.service,
            "version": version("foresense"),
            "started": self.started_ms,
            "written": time.time_ns() // 1_000_000,
            "brokers": dict(self.brokers()),
            "sinks": dict(self.troubles()),
            "monitors": {name: each._asdict() for name, each in self.monitors.items()},
            "messages_in_flight": self.inbox.in_flight,
            "queue_messages": self.inbox.queued,
            "queue_bytes": self.inbox.queued_bytes,
            "counters": self._counts(),
            "stores_verdicts": self.stores_verdicts,
            "refused": self.refused,
        }

    def _counts(self) -> dict[str, int | dict[str, int]]:
        """Return the counters by name; those of several things by the name of the thing."""
        counts: dict[str, int | dict[str, int]] = {}
        for name in (each.name for each in fields(self.counters)):  # asdict would count the items of a Counter
            match getattr(self.counters, name):
                case int(count):
                    counts[name] = count
                case dict(things):
                    # the writer may add to it meanwhile, so it is copied first, which a dict does at one go
                    counts[name] = {str(thing): count for thing, count in dict(things).items()}
        return counts

    def _rates(self) -> dict[str, float]:
        """Return how many of each there were a second since the last time."""
        now = {name: int(getattr(self.counters, name)) for name in ("received", "readings", "verdicts")}
        time_s = monotonic()
        before_s, before = self._rated or (time_s, now)
        self._rated = time_s, now
        return {name: (now[name] - before[name]) / max(time_s - before_s, 1.0) for name in now}


def standing_of(monitor: Monitor) -> MonitorStanding:
    """Return how the streams of a monitor are: silent before in alarm, in alarm before still learning."""
    table = monitor.engine.table
    rows = np.arange(len(table), dtype=np.int32)
    silent = table.field("silent", rows).all(axis=1)
    alarm = (table.field("alarm", rows) != 0) & ~silent
    learning = (table.field("seen", rows) < monitor.engine.ready_slots) & ~silent & ~alarm
    states = [int(each.sum()) for each in (learning, ~silent & ~alarm & ~learning, alarm, silent)]
    newest = monitor.newest_ms
    return MonitorStanding(
        monitor.bundle.reference,
        dict(zip(STATES, states, strict=True)),
        None if newest == NEVER else newest,
        _achieved(monitor, rows),
    )


def _achieved(monitor: Monitor, rows: NDArray[np.int32]) -> float | None:
    """Return the alarms of a monitor's streams over those that their budgets allowed, once that is one."""
    if not len(rows):
        return None
    table, budget = monitor.engine.table, monitor.budget.shared(len(rows))
    allowed = float(table.field("judged", rows).sum()) * budget.per_slot(monitor.bundle.manifest.interval_ms)
    return float(table.field("raised", rows).sum()) / allowed if allowed >= 1 else None
