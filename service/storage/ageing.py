"""Ageing: old verdicts become sums by the hour, and these and old alarms go, a little at a time.

What is done is part of the writer's transaction, so it has no commit of its own to wait for.
"""

import logging
import sqlite3
import time
from time import monotonic

from edge.operation.failpoint import reach
from service.storage.history import HistorySettings, age_ms
from service.storage.store import Store

log = logging.getLogger(__name__)

STEP_S = 0.006  #: what a step should take of the writer's time
_PAUSE_S = 0.05  # between two steps while messages wait
_LOOK_S = 60.0  # where nothing was due
_ANEW_S = 6 * 3600.0  # after which what came late is looked for
_FEWEST, _FIRST, _MOST = 50, 500, 20_000  # rows a step
_GB = 1e9
HOUR_MS = 3_600_000

# All of it runs within the key's order (time, series): from a place (?, ?) up to, but without, another (?, ?).
_RANGE = "(time, series) >= (?, ?) AND (time, series) < (?, ?)"
#: what is labelled stays as it is
_LOOSE = """(alarm IS NULL OR NOT EXISTS (
    SELECT 1 FROM series JOIN alarm AS its ON its.stream = series.stream
    WHERE series.id = series_verdict.series AND its."start" = series_verdict.alarm
        AND its.id IN (SELECT label.alarm FROM label)))"""
_NEWEST = "SELECT max(time) FROM series_verdict"
_EDGE = """SELECT time, series FROM {table} WHERE (time, series) >= (?, ?) AND time < ?
    ORDER BY time, series LIMIT 1 OFFSET ?"""
_SUM_UP = f"""INSERT INTO series_hour
    SELECT time / {HOUR_MS} * {HOUR_MS} AS hour, series, count(*), count(value), total(value), min(value), max(value),
        count(expected), total(expected), max(score), total(status = 2)
    FROM series_verdict WHERE {_RANGE} AND {_LOOSE} GROUP BY hour, series
    ON CONFLICT (time, series) DO UPDATE SET
        slots = slots + excluded.slots, "values" = "values" + excluded."values", total = total + excluded.total,
        least = min(coalesce(least, excluded.least), coalesce(excluded.least, least)),
        most = max(coalesce(most, excluded.most), coalesce(excluded.most, most)),
        forecasts = forecasts + excluded.forecasts, forecast_total = forecast_total + excluded.forecast_total,
        score = max(coalesce(score, excluded.score), coalesce(excluded.score, score)),
        anomalies = anomalies + excluded.anomalies"""  # noqa: S608
_FORGET = f"DELETE FROM series_verdict WHERE {_RANGE} AND {_LOOSE}"  # noqa: S608
_FORGET_HOURS = f"DELETE FROM series_hour WHERE {_RANGE}"  # noqa: S608
_FORGET_ALARMS = """DELETE FROM alarm WHERE id IN (
    SELECT id FROM alarm WHERE "end" < ? AND id NOT IN (SELECT alarm FROM label) ORDER BY "end" LIMIT ?)"""
_FORGET_INCIDENTS = """DELETE FROM incident WHERE "end" < ?
    AND NOT EXISTS (SELECT 1 FROM alarm WHERE alarm.incident = incident.id)"""

_BEGIN = (0, 0)


class Ageing:
    """Does a step now and then. Works within a transaction."""

    def __init__(self, store: Store, settings: HistorySettings) -> None:
        self._store = store
        self._keep = age_ms(settings.keep)
        self._keep_hourly = age_ms(settings.keep_hourly)
        self._keep_alarms = age_ms(settings.keep_alarms)
        self._most_bytes = None if settings.most_gb is None else int(settings.most_gb * _GB)
        self._rows = _FIRST
        self._next_s = 0.0
        self.restore()

    def restore(self) -> None:
        """Begin anew with what the database has."""
        self._place = _BEGIN  # before it, no verdict is due
        self._anew_s = 0.0
        self._summed = 0
        self.has_more = False  #: whether there is more to do at once

    def step(self, is_idle: bool) -> None:
        """Do a little of what is due, if it is time; after an sqlite3.Error not before a minute has passed."""
        now_s = monotonic()
        if now_s < self._next_s:
            return
        if now_s >= self._anew_s:
            self._place, self._anew_s = _BEGIN, now_s + _ANEW_S
        self._next_s = now_s + _LOOK_S
        try:
            self.has_more = self._step()
        except sqlite3.Error as error:
            log.warning("the history cannot be brought up to date: %s", error)
            raise
        pause_s = 0.0 if is_idle else _PAUSE_S
        self._next_s = monotonic() + (pause_s if self.has_more else _LOOK_S)

    def _step(self) -> bool:
        """Do a step, and return whether there is more to do."""
        db = self._store.db
        newest = db.execute(_NEWEST).fetchone()[0]
        if newest is None:
            newest = 0
        now = min(newest, time.time_ns() // 1_000_000)
        too_large = self._is_too_large()
        began = monotonic()
        more = self._age_verdicts(now - HOUR_MS if too_large else _before(now, self._keep))
        if not more:
            more = self._age_hours(now - HOUR_MS if too_large else _before(now, self._keep_hourly))
        if not more:
            more = self._age_alarms(_before(now, self._keep_alarms))
        reach("before-ageing-commit")
        if more:
            change = STEP_S / (monotonic() - began)
            self._rows = int(min(max(self._rows * min(max(change, 0.5), 1.2), _FEWEST), _MOST))
        elif self._summed:
            log.info("history: %d verdicts are now sums by the hour", self._summed)
            self._summed = 0
        return more

    def _age_verdicts(self, before: int) -> bool:
        edge = self._edge("series_verdict", self._place, before)
        if edge is None:
            return False
        db, bounds = self._store.db, (*self._place, *edge)
        db.execute(_SUM_UP, bounds)
        self._summed += db.execute(_FORGET, bounds).rowcount
        self._place = edge
        return True

    def _age_hours(self, before: int) -> bool:
        edge = self._edge("series_hour", _BEGIN, before)
        if edge is not None:
            self._store.db.execute(_FORGET_HOURS, (*_BEGIN, *edge))
        return edge is not None

    def _age_alarms(self, before: int) -> bool:
        if before <= 0:
            return False
        gone = self._store.db.execute(_FORGET_ALARMS, (before, self._rows)).rowcount
        if not gone:
            self._store.db.execute(_FORGET_INCIDENTS, (before,))
        return gone > 0

    def _edge(self, table: str, place: tuple[int, int], before: int) -> tuple[int, int] | None:
        """Return the place up to which a step goes; None if nothing is due."""
        if before <= place[0]:
            return None
        find = _EDGE.format(table=table)
        if self._store.db.execute(find, (*place, before, 0)).fetchone() is None:
            return None
        found = self._store.db.execute(find, (*place, before, self._rows)).fetchone()
        return (before, 0) if found is None else (int(found[0]), int(found[1]))

    def _is_too_large(self) -> bool:
        if self._most_bytes is None:
            return False
        pages, free, size = (
            int(self._store.db.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size > self._most_bytes


def _before(now: int, age: int | None) -> int:
    return 0 if age is None else now - age
