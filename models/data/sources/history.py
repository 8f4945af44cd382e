"""The service's own history: what its SQLite database has kept of every slot."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.align import EARLIEST, LATEST
from edge.errors import ConfigError, DataError
from edge.reading import Readings, Status
from models.data.sources.source import BLOCK_ROWS, Block

_MAGIC = b"SQLite format 3\0"
_MONITORS = "SELECT DISTINCT monitor FROM stream ORDER BY monitor"
_CHANNELS = """SELECT DISTINCT channel FROM series JOIN stream ON stream.id = series.stream
    WHERE monitor = ? ORDER BY channel"""
_HAS_CHANNEL = """SELECT EXISTS (SELECT 1 FROM series JOIN stream ON stream.id = series.stream
    WHERE monitor = ? AND channel = ?)"""
_VALUES = """SELECT time, stream, name, channel, CASE WHEN status = ? OR NOT ? THEN value END
    FROM series_verdict CROSS JOIN series ON series.id = series CROSS JOIN stream ON stream.id = stream
    WHERE monitor = ? AND time >= ? AND time < ? ORDER BY time, series"""  # the order of the table's key


@dataclass(frozen=True, slots=True)
class History:
    """The slots of one monitor's streams; the database is only read, while the service may write it."""

    path: Path
    channels: tuple[str, ...]
    monitor: str | None = None  #: may be left out where there is only one
    normal: bool = False  #: leave a slot empty that was not judged normal
    start_ms: int | None = None
    end_ms: int | None = None

    @property
    def label(self) -> str:
        """Return the path."""
        return str(self.path)

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[Block]:
        """Yield the values kept of slots, by time, at most so many at a time; a row is one channel's."""
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                yield from self._read(db, rows)
        except sqlite3.Error as error:
            raise DataError(f"{self.path}: expected the database of a foresense service, got: {error}") from error

    def _read(self, db: sqlite3.Connection, rows: int) -> Iterator[Block]:
        monitor = self._monitor(db)
        self._check_channels(db, monitor)
        index = {channel: i for i, channel in enumerate(self.channels)}
        row_of: dict[int, int] = {}
        names: list[str] = []
        start_ms = EARLIEST if self.start_ms is None else self.start_ms
        end_ms = LATEST if self.end_ms is None else self.end_ms
        found = db.execute(_VALUES, (Status.NORMAL, self.normal, monitor, start_ms, end_ms))
        while many := found.fetchmany(rows):
            wanted = [each for each in many if each[3] in index]
            for _, stream, name, _, _ in wanted:
                if stream not in row_of:
                    row_of[stream] = len(names)
                    names.append(name)
            there = [each for each in wanted if each[4] is not None]
            readings = Readings(
                np.array([row_of[each[1]] for each in there], np.int32),
                np.array([index[each[3]] for each in there], np.int16),
                np.array([each[0] for each in there], np.int64),
                np.array([each[4] for each in there], np.float64),
            )
            yield Block(list(names), readings, len(wanted), len(wanted) - len(there))

    def _monitor(self, db: sqlite3.Connection) -> str:
        monitors = [str(name) for (name,) in db.execute(_MONITORS)]
        if not monitors:
            raise DataError(f"{self.path}: expected a database with at least one stream, got an empty one")
        if self.monitor is None and len(monitors) > 1:
            raise ConfigError(f"--monitor: expected one of {', '.join(monitors)}, got none")
        if self.monitor is not None and self.monitor not in monitors:
            raise DataError(f"{self.path}: expected a monitor {self.monitor!r}, got {', '.join(monitors)}")
        return self.monitor or monitors[0]

    def _check_channels(self, db: sqlite3.Connection, monitor: str) -> None:
        for channel in self.channels:
            if not db.execute(_HAS_CHANNEL, (monitor, channel)).fetchone()[0]:
                there = ", ".join(str(name) for (name,) in db.execute(_CHANNELS, (monitor,))) or "none"
                raise DataError(f"{self.path}: {monitor}: expected a channel {channel!r}, got {there}")


def is_history(path: Path) -> bool:
    """Tell whether a file is a SQLite database."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False
