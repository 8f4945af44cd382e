"""`foresense verdicts`: what a service has said, as the table that `foresense detect` writes."""

import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import click
import numpy as np

from edge.align import EARLIEST, LATEST
from edge.errors import ConfigError, DataError
from edge.table import Part, Slots, write_table
from service.desk.choice import choose_monitor, moment
from service.output import writing
from service.storage.access import database_of
from service.storage.store import SCHEMA_VERSION

ROWS = 100_000  #: read at a time
_MONITORS = "SELECT DISTINCT monitor FROM stream ORDER BY monitor"
_STREAMS = "SELECT name FROM stream WHERE monitor = ? ORDER BY name"
_VERDICTS = """SELECT name, time, channel, value, expected, lower, upper, score, status, alarm, coverage, quality
    FROM verdict JOIN stream ON stream.id = verdict.stream
    WHERE monitor = ? AND (? IS NULL OR name = ?) AND time >= ? AND time < ? ORDER BY name, time, place, channel"""
_slot, _channel = itemgetter(0, 1), itemgetter(2)

Row = tuple[Any, ...]


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--monitor", metavar="NAME", help="May be left out if there is one.")
@click.option("--stream", metavar="NAME", help="Of this stream only.")
@click.option("--from", "start", metavar="TIME", help="From here on, a time or a day; of UTC unless told.")
@click.option("--to", "end", metavar="TIME", help="Before this.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV file to write.  [default: standard output]")
def verdicts(
    path: Path, monitor: str | None, stream: str | None, start: str | None, end: str | None, out: Path | None
) -> None:
    """Print the verdicts that a service has stored, one row for each slot and channel, by stream and time.

    FILE is the service's configuration or its database. It is the very table that `foresense detect` writes for the
    same readings. The service may run meanwhile.
    """
    period = moment("--from", start, EARLIEST), moment("--to", end, LATEST)
    database = database_of(path)
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as db:
            parts = read_parts(db, database, monitor, stream, period)
            if out is None:
                write_table(sys.stdout, parts)
                return
            with writing(out), out.open("w", encoding="utf-8", newline="") as file:
                write_table(file, parts)
    except sqlite3.Error as error:
        raise DataError(f"{database}: expected the database of a foresense service, got: {error}") from error


def read_parts(
    db: sqlite3.Connection, path: Path, monitor: str | None, stream: str | None, period: tuple[int, int]
) -> Iterator[Part]:
    """Return the slots kept of a monitor's streams, or of one, by stream and time; `period` is in ms.

    ConfigError if the monitor or the stream is not there, DataError if the database is too old.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    monitors = [name for (name,) in db.execute(_MONITORS)]
    if not monitors:
        raise DataError(f"{path}: expected a database with at least one stream, got an empty one")
    if version != SCHEMA_VERSION:
        raise DataError(
            f"{path}: expected a database of schema {SCHEMA_VERSION}, got {version}; `foresense serve` brings an older "
            "one up to date"
        )
    monitor = choose_monitor(monitors, monitor)
    streams = [name for (name,) in db.execute(_STREAMS, (monitor,))]
    if stream is not None and stream not in streams:
        some = ", ".join(streams[:10]) + (f" and {len(streams) - 10} more" if len(streams) > 10 else "")
        raise ConfigError(f"--stream: expected one of {some}, got {stream!r}")
    return _parts(_whole_slots(db.execute(_VERDICTS, (monitor, stream, stream, *period))))


def _whole_slots(rows: sqlite3.Cursor) -> Iterator[list[list[Row]]]:
    """Yield some slots at a time, each as its rows."""
    rest: list[Row] = []
    while many := rows.fetchmany(ROWS):
        slots = [list(slot) for _, slot in groupby(rest + many, _slot)]
        rest = slots.pop()
        yield slots
    if rest:
        yield [rest]


def _parts(blocks: Iterable[list[list[Row]]]) -> Iterator[Part]:
    """Yield the slots as parts; one begins where the channels change, as they do with another bundle."""
    for block in blocks:
        for channels, slots in groupby(block, lambda slot: tuple(map(_channel, slot))):
            yield _part(channels, list(slots))


def _part(channels: tuple[str, ...], slots: list[list[Row]]) -> Part:
    names = list(dict.fromkeys(slot[0][0] for slot in slots))
    row_of = {name: row for row, name in enumerate(names)}
    numbers = np.array([[row[3:7] for row in slot] for slot in slots], np.float64)  # (n, C, 4); None becomes NaN
    return Part(
        names,
        channels,
        Slots(
            np.array([row_of[slot[0][0]] for slot in slots], np.int32),
            np.array([slot[0][1] for slot in slots], np.int64),
            np.array([slot[0][8] for slot in slots], np.uint8),
            np.array([slot[0][7] for slot in slots], np.float32),
            numbers[..., 0],
            numbers[..., 1],
            numbers[..., 2],
            numbers[..., 3],
            np.array([slot[0][9] or 0 for slot in slots], np.int64),
            np.array([slot[0][10] for slot in slots], np.float32),
            np.array([[row[11] for row in slot] for slot in slots], np.uint8),
        ),
    )
