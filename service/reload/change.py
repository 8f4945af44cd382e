"""A change: the monitors that are to take the place of those there are, between two batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event

from service.pipeline.monitor import Monitor
from service.reload.warming import Warmed


@dataclass(frozen=True, slots=True)
class Change:
    """What the writer adopts; a monitor that is the very same object goes on with its engine as it is."""

    monitors: Sequence[Monitor]
    warmed: Mapping[str, Warmed] = field(default_factory=dict)  #: of those with a new bundle, by name
    done: Event = field(default_factory=Event)
