"""Warming: a new bundle is shown what the database kept of each stream, so that it is ready when it takes over."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.reading import Readings
from edge.state import LAYOUT_VERSION, NEVER, Records
from service.pipeline.monitor import Monitor
from service.storage.store import StateRow

_MORE_SLOTS = 32  # than it takes to be ready
_MOST_BEHIND = 100  # slots that the writer's thread itself may have to catch up on
_ROWS = 20_000  # fed at a time

_STREAMS = "SELECT id, name FROM stream WHERE monitor = ? ORDER BY id"
_NEWEST = """SELECT time FROM verdict CROSS JOIN stream ON stream.id = verdict.stream
    WHERE monitor = ? ORDER BY time DESC LIMIT 1"""
_VALUES = """SELECT time, verdict.stream, channel, value FROM verdict CROSS JOIN stream ON stream.id = verdict.stream
    WHERE monitor = ? AND time >= ? AND value IS NOT NULL ORDER BY time"""

#: what belongs to the readings that came, whatever the bundle: the slot being filled, the newest, what waits
_FILLING = (
    "open_value", "open_count", "open_flaw", "open_slot", "last_time", "last_value", "newest",
    "doubt_time", "doubt_channel", "doubt_value", "doubt_flaw",
    "released", "waiting_time", "waiting_channel", "waiting_value", "waiting_flaw",
)  # fmt: skip
_ALARM = ("recent", "calm", "alarm", "cooling", "rest", "peak", "confirmed")  #: the open alarm goes on


class Warmed:
    """The streams of a monitor under its new bundle."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._interval_ms = monitor.bundle.manifest.interval_ms
        self._engine = monitor.engine_of_slots()
        self._ids: list[int] = []
        self._rows: dict[int, int] = {}  # by the streams' ids

    def read(self, database: Path) -> None:
        """Feed the newest slots of all streams, beside the service; sqlite3.Error if that fails."""
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as db:
            streams = db.execute(_STREAMS, (self._monitor.name,)).fetchall()
            newest = db.execute(_NEWEST, (self._monitor.name,)).fetchone()
            self._ids = [ident for ident, _ in streams]
            self._rows = {ident: row for row, ident in enumerate(self._ids)}
            self._engine.add([name for _, name in streams])
            slots = self._engine.ready_slots + _MORE_SLOTS
            if newest is not None:
                self._feed(db, newest[0] - slots * self._interval_ms)
                self._feed(db, newest[0])  # what came meanwhile

    def take_over(self, db: sqlite3.Connection, old: Monitor) -> list[StateRow]:
        """Return the states of the streams, as `old` leaves them; for the thread that writes, within a transaction."""
        old_rows = {ident: row for row, ident in enumerate(old.ids)}
        pairs = [(row, old_rows[ident]) for ident, row in self._rows.items() if ident in old_rows]
        if not pairs:
            return []
        rows, there = np.array(pairs, np.int32).T
        self._catch_up(db, old.engine.table.field("last_slot", there), rows)
        table = self._engine.table
        records = table.gather(np.arange(len(table), dtype=np.int32)).take(rows)
        _carry(records, old.engine.table.gather(np.arange(len(old.engine.table), dtype=np.int32)).take(there))
        reference = self._monitor.bundle.reference
        return [
            (self._ids[row], reference, LAYOUT_VERSION, record)
            for row, record in zip(rows.tolist(), records.to_bytes(table.dtype), strict=True)
        ]

    def _catch_up(self, db: sqlite3.Connection, told: NDArray[np.int64], rows: NDArray[np.int32]) -> None:
        """Feed the slots up to those that have their verdicts (n,), and close them."""
        mine = self._engine.table.field("last_slot", rows)
        if (behind := mine < told).any():
            since = max(mine[behind].min(), told.max() - _MOST_BEHIND)
            self._feed(db, int(since) * self._interval_ms)
        now = np.zeros(len(self._engine.table), np.int64)
        heard = told != NEVER
        now[rows[heard]] = (told[heard] + 1) * self._interval_ms + self._monitor.lateness_ms
        self._engine.tick(now)

    def _feed(self, db: sqlite3.Connection, since_ms: int) -> None:
        """Feed the values from a time on; those that it has seen change nothing."""
        found = db.execute(_VALUES, (self._monitor.name, since_ms))
        while many := found.fetchmany(_ROWS):
            known = [each for each in many if each[1] in self._rows]
            if known:
                self._engine.feed(self._readings(known))

    def _readings(self, values: Sequence[tuple[int, int, str, float]]) -> Readings:
        return Readings(
            np.array([self._rows[stream] for _, stream, _, _ in values], np.int32),
            np.array([self._monitor.index(channel) for _, _, channel, _ in values], np.int16),
            np.array([time for time, _, _, _ in values], np.int64),
            np.array([value for _, _, _, value in values], np.float64),
        )


def may_warm(old: Monitor, new: Monitor) -> bool:
    """Whether what was kept of a monitor's streams says something to its new bundle: the same channels and slots."""

    def slots(monitor: Monitor) -> Any:
        manifest = monitor.bundle.manifest
        channels = [(channel.name, channel.unit) for channel in manifest.channels]
        return channels, manifest.interval_ms, monitor.lateness_ms > 0

    return bool(slots(old) == slots(new))


def _carry(records: Records, old: Records) -> None:
    """Carry over what does not depend on the bundle: the slot being filled, and the alarm as the world knows it."""
    anew = (old["alarm"] != 0) & (records["alarm"] == 0)
    for name in _FILLING + _ALARM:
        records[name] = old[name]
    records["new_slots"][anew] = 0
    records["new_mean"][anew] = records["new_level"][anew] = records["level"][anew]
