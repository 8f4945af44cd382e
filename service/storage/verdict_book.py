"""The book of verdicts: what was said of every slot, as rows of the database."""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge.reading import Change, Status, Verdicts
from service.pipeline.monitor import Monitor
from service.storage.store import Store

_COLUMNS = ("time", "series", "value", "expected", "lower", "upper", "score", "status", "coverage", "quality", "alarm")
_PLAIN = 8  # columns of a row whose others are as the table has them by default
_ROWS = 16  # a statement; one statement a row costs half as much again
_BLOCK = 4096  # slots made into rows at a time


class VerdictBook:
    """Enters verdicts into the store, a row for each series: one channel of one stream. Works within a transaction."""

    def __init__(self, store: Store, kept: Literal["all", "alarms"] = "all") -> None:
        self._store = store
        self._kept = kept
        self._series: dict[str, NDArray[np.int64]] = {}  # of a monitor's streams by row (streams, C)

    def restore(self) -> None:
        """Begin anew with what the database knows."""
        self._series.clear()

    def enter(self, monitor: Monitor, verdicts: Verdicts) -> None:
        """Store verdicts; what has been said of a slot once stays."""
        if self._kept == "alarms":
            verdicts = verdicts.take(
                (verdicts.alarm != 0) | (verdicts.status == Status.ANOMALY) | (verdicts.change != Change.NONE)
            )
        if 0 < len(verdicts) <= _BLOCK:
            self._enter(monitor, verdicts)
            return
        for first in range(0, len(verdicts), _BLOCK):
            self._enter(monitor, verdicts.take(slice(first, first + _BLOCK)))

    def _enter(self, monitor: Monitor, verdicts: Verdicts) -> None:
        series = self._series_of(monitor)[verdicts.stream]  # (n, C)
        columns = [
            _each(verdicts.time, series),
            series,
            verdicts.value,
            verdicts.expected,
            verdicts.lower,
            verdicts.upper,
            _each(verdicts.score, series),
            _each(verdicts.status, series),
            _each(verdicts.coverage, series),
            verdicts.quality,
            _each(verdicts.alarm, series),
        ]
        plain = (columns[8] == 1) & (columns[9] == 0) & (columns[10] == 0)
        insert(self._store.db, *(column[plain].tolist() for column in columns[:_PLAIN]))
        if not plain.all():
            *most, alarm = (column[~plain].tolist() for column in columns)
            insert(self._store.db, *most, [start or None for start in alarm])

    def _series_of(self, monitor: Monitor) -> NDArray[np.int64]:
        """Return the series of a monitor's streams (streams, C), new ones among them."""
        known = self._series.get(monitor.name, np.zeros((0, len(monitor.channels)), np.int64))
        if len(known) < len(monitor.ids):
            new = add_series(self._store.db, monitor.ids[len(known) :], monitor.channels)
            known = self._series[monitor.name] = np.concatenate([known, new])
        return known


def add_series(db: sqlite3.Connection, streams: Sequence[int], channels: Sequence[str]) -> NDArray[np.int64]:
    """Return the series of streams (streams, C), new ones added; the channels are in the order of their bundle."""
    wanted = [(stream, channel, place) for stream in streams for place, channel in enumerate(channels)]
    upsert = """INSERT INTO series (stream, channel, place) VALUES (?, ?, ?)
        ON CONFLICT (stream, channel) DO UPDATE SET place = excluded.place WHERE place != excluded.place"""
    db.executemany(upsert, wanted)
    find = "SELECT id FROM series WHERE stream = ? AND channel = ?"
    ids = [db.execute(find, each[:2]).fetchone()[0] for each in wanted]
    return np.array(ids, np.int64).reshape(len(streams), len(channels))


def insert(db: sqlite3.Connection, *columns: Sequence[Any]) -> None:
    """Insert rows given as columns, in the table's order; the table's defaults stand for those that are left out."""
    count, width = len(columns[0]), len(columns)
    values = list(chain.from_iterable(zip(*columns, strict=True)))
    whole = count // _ROWS * _ROWS * width
    for rows, part in ((_ROWS, values[:whole]), (1, values[whole:])):
        step = rows * width
        db.executemany(_statement(width, rows), (part[i : i + step] for i in range(0, len(part), step)))


def _statement(width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"INSERT OR IGNORE INTO series_verdict ({', '.join(_COLUMNS[:width])}) VALUES {', '.join([row] * rows)}"  # noqa: S608


def _each(column: NDArray[Any], series: NDArray[np.int64]) -> NDArray[Any]:
    """Return a column (n,) of slots as one of their channels (n, C)."""
    of_one = column[:, None]
    return of_one if series.shape[1] == 1 else np.broadcast_to(of_one, series.shape)
