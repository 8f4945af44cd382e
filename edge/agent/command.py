"""`foresense edge`: the device program, and what looks it over."""

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click

from edge.agent.agent import Agent
from edge.agent.monitor import Monitor
from edge.agent.opening import Bundles, open_monitors
from edge.agent.part import Part
from edge.agent.settings import Settings, read_settings
from edge.agent.store import Store
from edge.errors import ForesenseError
from edge.operation.lock import is_held
from edge.operation.log_options import log_options
from edge.operation.logs import Format, Log

_FILE = click.argument("path", metavar="CONFIG", type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def edge() -> None:
    """Run on a device: watch sensors with bundles, and tell a broker."""


@edge.command()
@_FILE
@log_options
def run(path: Path, log_level: str, log_format: Format) -> None:
    """Watch what a configuration file says, until SIGTERM, Ctrl-C or the end of standard input.

    CONFIG is the YAML file of the device. What cannot be published waits in its database.
    """
    log = Log()
    log.start(log_level, log_format)
    try:
        settings = read_settings(path)
        Agent(path, settings, _parts(settings)).run(log.tell)
    finally:
        log.tell(everything=True)


@edge.command()
@_FILE
@_JSON
def check(path: Path, as_json: bool) -> None:
    """Check a device's configuration as `run` would, without connecting to anything.

    CONFIG is the YAML file of the device. Its bundles are read and tested, its functions imported. Prints what
    each monitor would watch, or every problem that can be found, and then exits with 2.
    """
    monitors: list[Monitor] = []
    try:
        settings = read_settings(path)
        opened = open_monitors(path, settings, Bundles(settings, lambda _: False))
        monitors, problems = opened.monitors, opened.problems
    except ForesenseError as error:
        problems = str(error).splitlines()
    found = [_facts(monitor) for monitor in monitors]
    if as_json:
        click.echo(json.dumps({"ok": not problems, "monitors": found, "problems": problems}))
    else:
        for each in found:
            click.echo(
                f"{each['monitor']}: {each['from']} with bundle {each['bundle']}: {', '.join(each['channels'])} "
                f"every {each['interval_s']:g} s, {each['budget']}, limit {each['limit']:.3g} decades"
            )
        for problem in problems:
            click.echo(f"foresense: {problem}", err=True)
    if problems:
        sys.exit(2)


@edge.command()
@_FILE
@_JSON
def status(path: Path, as_json: bool) -> None:
    """Tell how a device is doing: whether it runs, its streams, open alarms, and what waits for the broker.

    CONFIG is the YAML file of the device. Exits with 1 if the device program does not run.
    """
    settings = read_settings(path)
    told = {"running": is_held(settings.database)} | _stored(settings)
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo("running" if told["running"] else "not running")
        click.echo(f"streams: {told['streams']}, alarms open: {told['alarms_open']}")
        click.echo(f"outbox: {told['outbox_rows']} rows, {told['outbox_bytes'] / 1e6:.1f} MB")
    if not told["running"]:
        sys.exit(1)


def _parts(settings: Settings) -> list[Part]:
    """Return what lives in the agent besides its monitors."""
    if settings.updates is None:
        return []
    from edge.updates.part import Updates  # costs memory and time that most devices need not spend

    return [Updates(settings.updates, settings.name, settings.publish.prefix, settings.runtime)]


def _facts(monitor: Monitor) -> dict[str, Any]:
    return {
        "monitor": monitor.name,
        "from": monitor.settings.topic or monitor.settings.source,
        "bundle": monitor.bundle.reference,
        "channels": monitor.channels,
        "interval_s": monitor.bundle.manifest.interval_ms / 1000,
        "budget": str(monitor.budget),
        "limit": monitor.engine.limit,
    }


def _stored(settings: Settings) -> dict[str, int]:
    """Return what the database tells; nothing but noughts if there is none yet."""
    names = ("streams", "alarms_open", "outbox_rows", "outbox_bytes")
    if not settings.database.exists():
        return dict.fromkeys(names, 0)
    try:
        return dict(zip(names, Store.look(settings.database), strict=True))
    except sqlite3.Error as error:
        raise ForesenseError(f"{settings.database}: expected a database that can be read, got: {error}") from error
