"""Detection on recorded data: the same engine as in service, its verdicts as rows of a CSV file."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TextIO

import numpy as np

from edge.alarm import AlarmPolicy
from edge.align import Ignored
from edge.bundle import Bundle
from edge.engine import Engine, open_engine
from edge.limits import Budget
from edge.reading import Change, Status, Verdicts
from edge.table import Part, Slots, write_table
from models.data.sources.source import Block


@dataclass(frozen=True, slots=True)
class Detected:
    """The verdicts on all readings, ordered by stream and time, and what became of its readings."""

    names: list[str]  #: of the streams, by row
    channels: tuple[str, ...]
    verdicts: Verdicts
    readings: int
    ignored: Ignored

    def summary(self) -> dict[str, object]:
        """Return the counts as a JSON-ready object."""
        status, change = self.verdicts.status, self.verdicts.change
        return {
            "streams": len(self.names),
            "readings": self.readings,
            "ignored": asdict(self.ignored),
            "verdicts": len(self.verdicts),
            "learning": int((status == Status.LEARNING).sum()),
            "anomalies": int((status == Status.ANOMALY).sum()),
            "alarms": int((change == Change.OPENED).sum()),
        }


def run_engine(
    bundle: Bundle, blocks: Iterable[Block], budget: Budget | None = None, policy: AlarmPolicy | None = None
) -> Detected:
    """Run readings through the bundle's engine; their channels are in the bundle's order.

    Budget and alarm policy are the bundle's own and the usual one where none is given.

    The verdicts are held until the end, about 60 bytes a slot and 30 more for each further channel.
    """
    engine = open_engine(bundle, budget, policy)
    names: list[str] = []
    parts: list[Verdicts] = []
    readings = 0
    for block in blocks:
        engine.add(block.names[len(names) :])
        names = block.names
        readings += len(block.readings)
        parts.append(engine.feed(block.readings))
    parts.append(engine.tick(_end(engine)))
    verdicts = Verdicts.concatenate(parts)
    rank = np.argsort(np.argsort(names))
    return Detected(
        names,
        tuple(each.name for each in bundle.manifest.channels),
        verdicts.take(np.lexsort([verdicts.time, rank[verdicts.stream]])),
        readings,
        engine.ignored,
    )


def _end(engine: Engine) -> int:
    """Return the end of the newest slot of all streams, UTC epoch milliseconds."""
    newest = engine.table.field("newest", np.arange(len(engine.table), dtype=np.int32))
    interval_ms = engine.manifest.interval_ms
    return (int(newest.max(initial=0)) // interval_ms + 1) * interval_ms


def write_csv(detected: Detected, file: TextIO) -> None:
    """Write the verdicts as the table of edge.table."""
    write_table(file, [Part(detected.names, detected.channels, Slots.of(detected.verdicts))])
