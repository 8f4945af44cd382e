"""What the service made of the recording, as its database tells it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import numpy as np
from numpy.typing import NDArray

from edge.errors import ForesenseError
from service.demo.recording import EVENTS, Event

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm, and the event that it tells of if there is one."""

    start: datetime
    end: datetime
    score: float  #: at its peak
    value: float  #: when it opened
    expected: float
    event: Event | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Verdicts (n,) in order of time, and alarms."""

    time: NDArray[np.datetime64]
    value: NDArray[np.float64]
    expected: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    alarms: list[Alarm]

    @property
    def flagged(self) -> list[Event]:
        """Return the events that an alarm tells of."""
        return [event for event in EVENTS if any(alarm.event is event for alarm in self.alarms)]

    @property
    def others(self) -> int:
        """Return how many alarms tell of no event, or of one that another alarm told of before."""
        return len(self.alarms) - len(self.flagged)


def wait_for_verdict(database: Path, time: datetime) -> None:
    """Wait until the verdict on the slot that begins at a time is committed; ForesenseError if it never is."""
    deadline = monotonic() + PATIENCE_S
    while _newest(database) < _ms(time):
        if monotonic() > deadline:
            raise ForesenseError(f"demo: expected a verdict on {time} within {PATIENCE_S:g} s, got none")
        sleep(0.05)


def read_outcome(database: Path) -> Outcome:
    """Read the verdicts and alarms of the demo's one stream."""
    with _connect(database) as db:
        rows = db.execute("SELECT time, value, expected, lower, upper FROM verdict ORDER BY time").fetchall()
        found = db.execute(
            'SELECT "start", coalesce("end", (SELECT max(time) FROM verdict)), peak_score, value, expected '
            'FROM alarm ORDER BY "start"'
        ).fetchall()
    time, value, expected, lower, upper = np.array(rows, np.float64).T
    alarms = [_alarm(_at(start), _at(end), *numbers) for start, end, *numbers in found]
    return Outcome(time.astype("datetime64[ms]"), value, expected, lower, upper, alarms)


def _alarm(start: datetime, end: datetime, score: float, value: float, expected: float) -> Alarm:
    event = next((event for event in EVENTS if event.overlaps(start, end)), None)
    return Alarm(start, end, score, value, expected, event)


def _connect(database: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True))


def _newest(database: Path) -> int:
    with _connect(database) as db:
        return int(db.execute("SELECT coalesce(max(time), 0) FROM verdict").fetchone()[0])


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
