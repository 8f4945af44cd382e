"""The recording that the demo replays: the flow through a branch of a water pipeline.

It comes with the package `river` (datasets.WaterFlow), kindly donated there by Tecnojest s.r.l.: hourly
values in litres a second from March to May 2022, with gaps, and with four events that were really so.
"""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from edge.errors import DataError

STREAM = "waterworks/branch"
CHANNEL = "flow"
UNIT = "l/s"
INTERVAL = "1h"
ZONE = "Europe/Rome"
TRAIN_FROM, TRAIN_TO = "2022-04-04T00:00:00Z", "2022-04-24T00:00:00Z"  # three weeks in which nothing happened


@dataclass(frozen=True, slots=True)
class Event:
    """Something that really happened: only the judge of the demo knows it, never the detector."""

    name: str
    start: datetime
    end: datetime  #: when the flow was back

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Tell whether a period and the event have a moment in common."""
        return start <= self.end and self.start <= end


def _at(text: str) -> datetime:
    return datetime.strptime(f"2022-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


EVENTS = (
    Event("flow lost", _at("03-24 08:00"), _at("03-25 01:00")),
    Event("flow lost", _at("03-29 05:00"), _at("03-29 20:00")),
    Event("pumping peak", _at("04-03 04:00"), _at("04-03 05:00")),
    Event("flow lost", _at("04-27 13:00"), _at("04-28 05:00")),
)


def load() -> list[tuple[datetime, float]]:
    """Return the recording as (time, litres a second), in order; DataError where river is not installed."""
    river = find_spec("river")
    if river is None or river.origin is None:
        raise DataError("demo: expected the package river, which has the recording (pip install 'foresense[all]')")
    with (Path(river.origin).parent / "datasets" / "water-flow.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [(datetime.fromisoformat(time).astimezone(UTC), float(value)) for time, value in rows]


def write_csv(readings: list[tuple[datetime, float]], path: Path) -> None:
    """Write the recording as `foresense train` and `foresense detect` read it."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", CHANNEL])
        writer.writerows([time.isoformat(), value] for time, value in readings)
