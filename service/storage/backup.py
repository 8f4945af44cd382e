"""`foresense backup`: a copy of the database as it was at one moment, while the service goes on writing."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import click

from edge.errors import ConfigError, DataError
from service.storage.access import Access, database_of

_PAGES = 1024  # copied at a time


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write; it must not be there yet.")
def backup(path: Path, out: Path) -> None:
    """Copy a service's database, as it is at this moment; the service may be running.

    FILE is the service's configuration or its database. The copy is checked, and appears under its name only when it
    is whole. It is an ordinary database: `database: COPY` is all that it takes to go on from it.
    """
    database = database_of(path)
    if out.exists():
        raise ConfigError(f"--out: {out}: expected a file that is not there yet, got one that is")
    size = copy(database, out)
    click.echo(f"{out}: {size:,} bytes, whole, as of now")


def copy(database: Path, out: Path) -> int:
    """Write a checked copy, whole or not at all, and return its size; DataError if the database is broken."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    except OSError as error:
        raise ConfigError(f"--out: {out}: expected a folder that can be written, got: {error.strerror}") from error
    os.close(handle)
    draft = Path(name)
    try:
        with Access(database).connection() as source:
            source.execute("BEGIN")  # one moment: what is written meanwhile would make the copy begin again
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            with closing(sqlite3.connect(draft)) as target:
                source.backup(target, pages=_PAGES)
                target.execute("PRAGMA journal_mode = DELETE")
                found = target.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise DataError(f"{database}: expected a database that is whole, got: {' '.join(found.split())}")
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        size = draft.stat().st_size
        draft.rename(out)
    finally:
        draft.unlink(missing_ok=True)
    return size
