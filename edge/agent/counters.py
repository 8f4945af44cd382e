"""Counters: what became of all that came, since the start."""

from collections import Counter
from dataclasses import dataclass, field

from edge.payloads.rejects import Reason


@dataclass(slots=True)
class Counters:
    """Running totals."""

    received: int = 0  #: messages taken over from brokers
    refused: int = 0  #: messages not taken over, as the inbox was full; the broker sends them again
    sessions_lost: int = 0  #: times a broker had forgotten our session; what was published meanwhile is lost
    takeovers: int = 0  #: times another client has taken our session over
    readings: int = 0  #: fed to an engine
    rejects: Counter[Reason] = field(default_factory=Counter)  #: messages and lines that could not be read
    verdicts: int = 0
    alarms: int = 0  #: opened
    delivered: int = 0  #: verdicts and alarms that the broker has acknowledged
    dropped: int = 0  #: verdicts for which there was no room in the outbox
    commits: int = 0
    retries: int = 0  #: commits that failed

    def summary(self) -> str:
        """Return one line for the log."""
        rejects = "".join(f", {count} rejected ({reason})" for reason, count in sorted(self.rejects.items()))
        troubles = {"verdicts dropped": self.dropped, "commits failed": self.retries}
        troubles |= {"sessions lost": self.sessions_lost, "sessions taken over": self.takeovers}
        told = "".join(f", {what} {count}" for what, count in troubles.items() if count)
        return (
            f"{self.readings} readings{rejects}; {self.verdicts} verdicts, {self.alarms} alarms, "
            f"{self.delivered} delivered, {self.commits} commits{told}"
        )
