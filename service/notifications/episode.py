"""An episode: the values of one channel about an alarm, as the database has them."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from service.storage.reader import Reader

BEFORE, MOST = 120, 400  #: slots before an alarm that are shown, and slots at all
_LEAST = 2  # slots that make a picture


class Episode(msgspec.Struct):
    """Columns of n slots in order of time, and the alarm within them; times are UTC epoch, ms."""

    title: str
    unit: str
    time_zone: str
    start: int
    end: int | None
    time: list[int]
    value: list[float | None]
    lower: list[float | None]
    upper: list[float | None]


def read_episode(database: Path, subject: Mapping[str, Any], time_zone: str) -> Episode | None:
    """Return the episode of an alarm that a message tells of; None if the database has too little of it.

    OSError or sqlite3.Error if it cannot be read.
    """
    start, end = _ms(subject["start"]), _ms(subject["end"])
    # two queries, each bounded, as an alarm may have gone on for long before it is told
    reader = Reader(database)
    try:
        db = reader.connection()
        select = """SELECT time, value, lower, upper FROM verdict JOIN stream ON stream.id = stream
            WHERE monitor = ? AND name = ? AND channel = ? AND time {} ? ORDER BY time {} LIMIT ?"""
        key = subject["monitor"], subject["stream"], subject["channel"], start
        before = _rows(db, select.format("<", "DESC"), *key, BEFORE)[::-1]
        after = _rows(db, select.format(">=", "ASC"), *key, MOST - BEFORE)
    finally:
        reader.close()
    rows = before + after
    if len(rows) < _LEAST:
        return None
    time, value, lower, upper = (list(column) for column in zip(*rows, strict=True))
    title = f"{subject['stream']} ({subject['channel']})"
    return Episode(title, subject.get("unit", ""), time_zone, start or 0, end, time, value, lower, upper)


def _rows(db: sqlite3.Connection, select: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(db.execute(select, values)) as found:
        return found.fetchall()


def _ms(text: str | None) -> int | None:
    return None if text is None else int(1000 * datetime.fromisoformat(text).timestamp())
