"""Detection on recorded data: the same engine as in service, its verdicts as rows of a CSV file."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from edge.align import Ignored
from edge.bundle import Bundle
from edge.engine import Engine, open_engine
from edge.limits import Budget
from edge.quality import words
from edge.reading import Change, Status, Verdicts
from models.data.sources.source import Block

HEADER = "stream,time,channel,value,expected,lower,upper,score,status,alarm,coverage,quality"


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


def run_engine(bundle: Bundle, blocks: Iterable[Block], budget: Budget | None = None) -> Detected:
    """Run readings through the bundle's engine; their channels are in the bundle's order.

    The verdicts are held until the end, about 60 bytes a slot and 30 more for each further channel.
    """
    engine = open_engine(bundle, budget)
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


def write_csv(detected: Detected, file: TextIO, rows: int = 100_000) -> None:
    """Write the verdicts, a row for each slot and channel; numbers have up to ten digits, unknown ones none."""
    file.write(HEADER + "\n")
    names = [_quoted(name) for name in detected.names]
    channels = [_quoted(name) for name in detected.channels]
    for first in range(0, len(detected.verdicts), rows):
        part = detected.verdicts.take(np.arange(first, min(first + rows, len(detected.verdicts))))
        file.writelines(_lines(part, names, channels))


def _lines(part: Verdicts, names: Sequence[str], channels: Sequence[str]) -> Iterator[str]:
    columns = [
        [_numbers(each[:, k]) for each in (part.value, part.expected, part.lower, part.upper)]
        for k in range(len(channels))
    ]
    slots = zip(part.stream, _times(part.time), _numbers(part.score), part.status, _times(part.alarm), strict=True)
    quality = part.quality.tolist()
    for row, (stream, time, score, status, alarm) in enumerate(slots):
        end = f"{score},{Status(status).name.lower()},{alarm if part.alarm[row] else ''},{part.coverage[row]:.4g}"
        for channel, (value, expected, lower, upper), flags in zip(channels, columns, quality[row], strict=True):
            numbers = f"{value[row]},{expected[row]},{lower[row]},{upper[row]}"
            yield f"{names[stream]},{time},{channel},{numbers},{end},{words(flags)}\n"


def _numbers(column: NDArray[np.floating]) -> list[str]:
    return ["" if math.isnan(number) else f"{number:.10g}" for number in column.tolist()]


def _times(column: NDArray[np.int64]) -> list[str]:
    stamps: list[str] = np.datetime_as_string(column.astype("datetime64[ms]"), unit="ms", timezone="UTC").tolist()
    return stamps


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(sign in name for sign in ',"\r\n') else name
