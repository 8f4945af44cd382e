"""Counters: what became of every message and reading."""

from collections import Counter
from dataclasses import dataclass, field

from edge.payloads.rejects import Reason
from service.operation.histogram import Histogram

_MESSAGES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(slots=True)
class Counters:
    """Running totals since the start; `received` is the network threads', all else the writer's.

    received + replayed = committed + retained + rejected + in flight
    """

    received: int = 0  #: messages taken over from the broker
    refused: int = 0  #: messages not taken over, as when the inbox is full; the broker sends them again
    replayed: int = 0  #: dead letters put back and read again
    committed: int = 0  #: messages whose readings went to the engine
    retained: int = 0  #: messages that the broker had kept; acknowledged, not scored
    rejects: Counter[Reason] = field(default_factory=Counter)  #: messages in the dead letters
    readings: int = 0  #: readings fed to the engine
    invalid: int = 0  #: of these, no number that a sensor says, or at a time that no set clock shows
    duplicates: int = 0  #: of these, no newer than the newest of their channel
    conflicts: int = 0  #: of these, at the time of the newest of their channel, with another value: the first holds
    late: int = 0  #: of these, of a slot that was closed already, or later than the lateness bound
    late_of: Counter[str] = field(default_factory=Counter)  #: the same by monitor
    clock: int = 0  #: of these, far ahead of their stream, and the next was not
    early: int = 0  #: of these, used before older ones could not come any more, as too many waited
    verdicts: int = 0
    alarms: int = 0  #: opened
    sessions_lost: int = 0  #: times a broker had forgotten our session; what was published meanwhile is lost
    takeovers: int = 0  #: times another client has taken our session over
    dropped: Counter[str] = field(default_factory=Counter)  #: verdicts by sink, as too many waited for it
    undeliverable: Counter[str] = field(default_factory=Counter)  #: what a sink's server would not take, by sink
    unstored: int = 0  #: verdicts given but not stored, as the disk was full
    retries: int = 0  #: transactions that failed and were tried again
    batches: Histogram = field(default_factory=lambda: Histogram(_MESSAGES))  #: messages of a transaction
    transactions_s: Histogram = field(default_factory=lambda: Histogram(_SECONDS))  #: how long they took

    @property
    def rejected(self) -> int:
        """Return how many messages were rejected for any reason."""
        return self.rejects.total()

    def balanced(self, in_flight: int) -> bool:
        """Whether every message received is accounted for."""
        return self.received + self.replayed == self.committed + self.retained + self.rejected + in_flight

    def summary(self, in_flight: int) -> str:
        """Return one line for the log."""
        trouble = {"sessions lost": self.sessions_lost, "sessions taken over": self.takeovers}
        trouble |= {f"dropped for {name}": count for name, count in sorted(self.dropped.items())}
        trouble |= {f"refused by {name}": count for name, count in sorted(self.undeliverable.items())}
        troubles = "".join(f", {what} {count}" for what, count in trouble.items() if count)
        rejects = "".join(f", {reason} {count}" for reason, count in sorted(self.rejects.items()))
        return (
            f"messages: {self.received} received, {self.committed} committed, {self.retained} retained, "
            f"{self.rejected} rejected{rejects}, {in_flight} in flight, {self.replayed} replayed; "
            f"readings: {self.readings} fed, {self.duplicates} duplicate, "
            f"{self.conflicts} conflicting, {self.late} late, "
            f"{self.clock} of a wrong clock, {self.invalid} invalid, {self.early} used early; "
            f"{self.verdicts} verdicts, {self.alarms} alarms, {self.retries} retries{troubles}"
        )
