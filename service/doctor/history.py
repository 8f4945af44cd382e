"""The history: what the database says of how much comes, read beside the service."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from service.storage.access import size_of

_DAY_MS = 86_400_000


class History(NamedTuple):
    """What is in a database."""

    streams: dict[str, int]  #: how many, by monitor
    oldest_ms: int | None  #: time of the oldest verdict, UTC epoch
    newest_ms: int | None
    bytes: int  #: of the file and its log
    reading_ms: int | None = None  #: time of the newest reading, which need not have a verdict that is stored
    late: Mapping[str, int] = {}  #: readings that came too late to be used since the service started, by monitor

    @property
    def bytes_a_day(self) -> float:
        """Return how fast the file has grown, by the times of its verdicts; 0 while they span less than an hour."""
        span = (self.newest_ms or 0) - (self.oldest_ms or 0)
        return self.bytes / span * _DAY_MS if span >= _DAY_MS / 24 else 0.0


def connect(database: Path, held: bool) -> sqlite3.Connection:
    """Open a database that is only read; `held`: a service has it open.

    Where nobody has, and nothing is left of one that was killed, no file is made beside it: it would be of the wrong
    user.
    """
    alone = not held and not database.with_name(database.name + "-wal").exists()
    return sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro{'&immutable=1' if alone else ''}", uri=True)


def read_history(database: Path, held: bool) -> History:
    """Return what is in a database; sqlite3.Error if it cannot be read."""
    with closing(connect(database, held)) as db:
        streams = dict(db.execute("SELECT monitor, count(*) FROM stream GROUP BY monitor").fetchall())
        oldest = db.execute("SELECT time FROM verdict ORDER BY time LIMIT 1").fetchone()
        newest = db.execute("SELECT time FROM verdict ORDER BY time DESC LIMIT 1").fetchone()
        told = db.execute("SELECT body FROM standing").fetchone()
    standing = msgspec.json.decode(told[0]) if told else {"monitors": {}, "counters": {}}
    reading = max((time for time in (newest and newest[0], _newest(standing)) if time is not None), default=None)
    late = standing["counters"].get("late_of", {})  # which an earlier release has not told
    return History(streams, oldest and oldest[0], newest and newest[0], size_of(database), reading, late)


def _newest(standing: dict[str, Any]) -> int | None:
    """Return the time of the newest reading of all monitors that the service has told of."""
    times = (each["newest"] for each in standing["monitors"].values())
    return max((time for time in times if time is not None), default=None)
