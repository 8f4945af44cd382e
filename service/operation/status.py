"""`foresense status`: how a service is doing, as its database and its lock tell."""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec

from edge.messages.stamp import iso
from edge.operation.damage import quarantined
from edge.operation.lock import is_held
from service.configuration import read_settings
from service.settings import Settings
from service.storage.access import Access, size_of


@dataclass(slots=True)
class Status:
    """What can be told of a service."""

    running: bool
    told: dict[str, Any] | None = None  #: what it wrote itself, newest; see Standing.tell
    streams: dict[str, int] = field(default_factory=dict)  #: by monitor
    bundles: dict[str, dict[str, int]] = field(default_factory=dict)  #: by monitor: bundle -> streams with its state
    alarms_open: dict[str, int] = field(default_factory=dict)  #: by monitor
    outbox: dict[str, int] = field(default_factory=dict)  #: by sink
    dead_letters: dict[str, int] = field(default_factory=dict)  #: by reason
    relay_letters: dict[str, int] = field(default_factory=dict)  #: what could not be delivered, by sink
    database_bytes: int = 0  #: with its log
    disk_free_bytes: int = 0
    quarantined: list[str] = field(default_factory=list)  #: broken databases that were put aside


def read_status(settings: Settings) -> Status:
    """Return what database and lock tell; ConfigError if there is no database."""
    database = settings.database
    status = Status(is_held(database))
    with Access(database).connection() as db:
        body = db.execute("SELECT body FROM standing").fetchone()
        status.told = msgspec.json.decode(body[0]) if body else None
        status.streams = dict(db.execute("SELECT monitor, count(*) FROM stream GROUP BY monitor"))
        states = """SELECT monitor, bundle, count(*) FROM state JOIN stream ON stream.id = state.stream
            GROUP BY monitor, bundle ORDER BY 1, 2"""
        for monitor, bundle, count in db.execute(states):
            status.bundles.setdefault(monitor, {})[bundle] = count
        alarms = """SELECT monitor, count(*) FROM alarm JOIN stream ON stream.id = alarm.stream
            WHERE "end" IS NULL GROUP BY monitor"""
        status.alarms_open = dict(db.execute(alarms))
        status.outbox = dict(db.execute("SELECT sink, count(*) FROM outbox GROUP BY sink"))
        letters = "SELECT reason, count(*) FROM dead_letter GROUP BY reason ORDER BY 2 DESC, 1"
        status.dead_letters = dict(db.execute(letters))
        status.relay_letters = dict(db.execute("SELECT sink, count(*) FROM relay_letter GROUP BY sink"))
    space = os.statvfs(database.parent)
    status.database_bytes, status.disk_free_bytes = size_of(database), space.f_bavail * space.f_frsize
    status.quarantined = [path.name for path in quarantined(database)]
    return status


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(path: Path, as_json: bool) -> None:
    """Tell how a service is doing: whether it runs, its brokers, streams, rates, alarms and what waits.

    FILE is the service's configuration. Exits with 1 if the service does not run.
    """
    found = read_status(read_settings(path))
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        click.echo("\n".join(_lines(found)))
    if not found.running:
        sys.exit(1)


def _lines(found: Status) -> Iterator[str]:
    told = found.told
    if told is None:
        yield "running, and has not told of itself yet" if found.running else "not running"
    else:
        yield from _own_lines(found.running, told)
    yield f"streams: {_counts(found.streams)}"
    for monitor, bundles in found.bundles.items():
        yield f"states of {monitor}: {_counts(bundles)}"
    yield f"alarms open: {_counts(found.alarms_open)}"
    yield f"outbox: {_counts(found.outbox)}"
    yield f"dead letters: {_counts(found.dead_letters)}"
    if found.relay_letters:
        yield f"refused by sinks: {_counts(found.relay_letters)}"
    yield f"disk: database {found.database_bytes / 1e6:,.1f} MB, {found.disk_free_bytes / 1e6:,.0f} MB free"
    for name in found.quarantined:
        yield f"broken database put aside: {name}"


def _own_lines(running: bool, told: dict[str, Any]) -> Iterator[str]:
    """Yield what the service wrote of itself."""
    age_s = time.time() - told["written"] / 1000
    if running:
        yield f"running since {iso(told['started'])}, version {told['version']}; as of {age_s:.0f} s ago:"
    else:
        yield f"not running; last heard of {iso(told['written'])}, version {told['version']}; it said:"
    for name, is_open in told["brokers"].items():
        yield f"  broker {name}: {'connected' if is_open else 'not connected'}"
    for name, trouble in told["sinks"].items():
        yield f"  sink {name}: {f'nothing delivered: {trouble}' if trouble else 'all is well'}"
    for name, each in told["monitors"].items():
        newest = "" if each["newest"] is None else f"; newest reading of {iso(each['newest'])}"
        yield f"  {name}: bundle {each['bundle']}; {_counts(each['streams'])}{newest}"
    counters = told["counters"]
    yield (
        f"  messages: {counters['received']} received, {counters['committed']} committed, "
        f"{counters['retained']} retained, {sum(counters['rejects'].values())} rejected, "
        f"{told['messages_in_flight']} in flight"
    )
    yield (
        f"  readings: {counters['readings']} fed; of these {counters['duplicates']} duplicate, "
        f"{counters['conflicts']} conflicting, {counters['late']} late, {counters['clock']} of a wrong clock, "
        f"{counters['invalid']} invalid"
    )
    if late := counters.get("late_of"):  # which an earlier release has not told
        yield f"  too late to be used: {_counts(late)}"
    yield f"  each second: {', '.join(f'{name} {rate:,.1f}' for name, rate in told['per_second'].items())}"
    if not told["stores_verdicts"]:
        yield "  the disk is full: verdicts are not stored"
    if told["refused"]:
        yield f"  not in force: {told['refused']}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
