"""The board: the newest that was said of every stream, as columns, so that ten thousand are looked over at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.quality import Quality
from edge.reading import Status
from service.api.wire import Said

SPARKS = 32  #: scores that are remembered of a stream
STATES = ("unknown", "normal", "learning", "silent", "alarm")  #: a stream may be, the worst last

_COLUMNS: dict[str, tuple[Any, Any]] = {  # type, and what stands for nothing
    "time": (np.int64, 0),
    "status": (np.uint8, Status.LEARNING),
    "score": (np.float32, np.nan),
    "channel": (np.int16, -1),
    "value": (np.float64, np.nan),
    "expected": (np.float64, np.nan),
    "alarm": (np.int64, 0),
    "achieved": (np.float32, np.nan),
    "coverage": (np.float32, np.nan),
    "ready_in": (np.int32, 0),
    "silent": (np.bool_, False),
    "sparks": (np.float32, np.nan),
    "spark": (np.int64, 0),
}


class Stream(NamedTuple):
    """A stream as the database knows it."""

    id: int
    monitor: str
    name: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The board at one moment; its columns are of one place a stream."""

    streams: Sequence[Stream]
    columns: dict[str, NDArray[Any]]

    def __getattr__(self, name: str) -> NDArray[Any]:
        try:
            return self.columns[name]
        except KeyError:
            raise AttributeError(name) from None

    def state(self) -> NDArray[np.intp]:
        """Return the index of each stream's state in STATES."""
        states = [self.time == 0, self.silent, self.alarm != 0, self.status == Status.LEARNING]
        return np.select(states, [STATES.index(name) for name in ("unknown", "silent", "alarm", "learning")], 1)

    def sparkline(self, place: int) -> list[float]:
        """Return the newest scores of a stream, oldest first."""
        count = int(self.spark[place])
        order = np.arange(max(count - SPARKS, 0), count) % SPARKS
        return [round(score, 3) for score in self.sparks[place, order].tolist()]


class Board:
    """Takes verdicts down as they come. Any thread may look."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: list[Stream] = []
        self._columns = {name: _nothing(name, 0) for name in _COLUMNS}
        self._place: dict[tuple[str, str], int] = {}  # by monitor and name
        self._rows: dict[str, list[int]] = {}  # by monitor: places by the rows of its verdicts

    @property
    def streams(self) -> Sequence[Stream]:
        """Return the streams by their places; more may be added."""
        return self._streams

    def know(self, streams: Sequence[Stream]) -> None:
        """Add streams that are new, each at a place of its own from now on."""
        with self._lock:
            new = [each for each in streams if (each.monitor, each.name) not in self._place]
            for place, each in enumerate(new, len(self._streams)):
                self._place[each.monitor, each.name] = place
            self._streams += new
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, _nothing(name, len(new))])

    def knows(self, monitor: str, names: Sequence[str]) -> bool:
        """Whether all of these streams are known."""
        return all((monitor, name) in self._place for name in names)

    def take(self, said: Said) -> NDArray[np.intp]:
        """Take verdicts down, all of streams that are known, and return the places that they are of."""
        with self._lock:
            rows = self._rows.setdefault(said.monitor, [])
            rows[said.first :] = [self._place[said.monitor, name] for name in said.names]
            places = np.array(rows, np.intp)[said.verdicts.stream]
            self._enter(places, said)
            return places

    def fill(self, stream: Stream, history: Sequence[tuple[int, float, int, int]]) -> None:
        """Give a stream of which nothing came yet what the database has: time, score, status, alarm; oldest first."""
        with self._lock:
            place, columns = self._place[stream.monitor, stream.name], self._columns
            if columns["time"][place] == 0 and history:
                newest = history[-SPARKS:]
                columns["sparks"][place, : len(newest)] = [score for _, score, _, _ in newest]
                columns["spark"][place] = len(newest)
                for name, value in zip(("time", "score", "status", "alarm"), newest[-1], strict=True):
                    columns[name][place] = value

    def newest_ms(self, place: int) -> int:
        """Return the time of the newest verdict of a stream, UTC epoch, ms; 0 if none is known."""
        with self._lock:
            return int(self._columns["time"][place])

    def look(self) -> Columns:
        """Return the board as it is now."""
        with self._lock:
            return Columns(tuple(self._streams), {name: column.copy() for name, column in self._columns.items()})

    def _enter(self, places: NDArray[np.intp], said: Said) -> None:
        columns = self._columns
        new = said.verdicts.time > columns["time"][places]  # at the start some are in the database as well
        told, places = said.verdicts.take(new), places[new]
        order = np.argsort(places, kind="stable")  # verdicts of a stream come in their order
        places = places[order]
        first = np.searchsorted(places, places)
        at = columns["spark"][places] + np.arange(len(places)) - first
        columns["sparks"][places, at % SPARKS] = told.score[order]
        last = np.flatnonzero(np.append(places[1:] != places[:-1], True))
        columns["spark"][places[last]] = at[last] + 1
        rows, places = order[last], places[last]
        for name in ("time", "status", "score", "channel", "alarm", "achieved", "coverage", "ready_in"):
            columns[name][places] = getattr(told, name)[rows]
        channel = np.maximum(told.channel[rows], 0)
        columns["value"][places] = told.value[rows, channel]
        columns["expected"][places] = told.expected[rows, channel]
        columns["silent"][places] = (told.quality[rows] & Quality.SILENT).all(axis=1) & np.isnan(told.value[rows]).all(
            axis=1
        )


def _nothing(name: str, count: int) -> NDArray[Any]:
    kind, value = _COLUMNS[name]
    return np.full((count, SPARKS) if name == "sparks" else count, value, kind)
