"""`foresense doctor`: what is wrong with a service and what surrounds it, and how to mend it."""

import json
import logging
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from edge.errors import ForesenseError
from edge.operation.lock import is_held
from edge.topics import Template
from service.brokers.broker import place
from service.configuration import read_settings
from service.doctor.broker import BrokerCheck
from service.doctor.clock import look_at_clock
from service.doctor.database import look_at_database
from service.doctor.disk import look_at_disk
from service.doctor.files import look_at_files
from service.doctor.finding import Finding, Level, fail, ok
from service.doctor.history import History, read_history
from service.doctor.home_assistant import look_at_home_assistant
from service.doctor.limits import look_at_limits
from service.doctor.queue import OUTAGE_S
from service.opening import open_parts
from service.pipeline.monitor import Monitor
from service.settings import Settings


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--measure", is_flag=True, help="Measure the queues of brokers on other hosts too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(path: Path, measure: bool, as_json: bool) -> None:
    """Look for what is wrong with a service and what surrounds it, and say how to mend it.

    FILE is the YAML file of the service, which may be running. Looks at configuration and bundles, secrets, disk,
    database and clock, connects to each broker, and publishes to topics of its own beneath PREFIX/service/doctor. How
    many messages a broker keeps for a client that is away is measured with some thousands of them, on this host
    only. Run it as the user of the service. Exits with 1 if something fails.
    """
    logging.basicConfig(level="CRITICAL")
    failed = False
    found: list[Finding] = []
    for finding in _look(path, measure):
        failed |= finding.level is Level.FAIL
        found.append(finding)
        if not as_json:
            click.echo(str(finding))
    if as_json:
        click.echo(json.dumps({"ok": not failed, "findings": [asdict(finding) for finding in found]}))
    sys.exit(1 if failed else 0)


def _look(path: Path, measure: bool) -> Iterator[Finding]:
    try:
        settings = read_settings(path)
    except ForesenseError as error:
        for line in str(error).splitlines():
            yield fail("configuration", line, "mend the file; service/README.md lists the settings")
        return
    opened = open_parts(path, settings)
    for problem in opened.problems:
        yield fail("configuration", problem, "mend the file, or put there what it names")
    if not opened.problems:
        yield ok("configuration", f"{path} is in order: {', '.join(settings.monitors)}")
    held = is_held(settings.database)
    yield from look_at_files(path, settings)
    yield from look_at_limits()
    yield from look_at_database(settings.database, held)
    history = _history(settings.database, held)
    yield from look_at_disk(settings.database, history)
    yield from look_at_clock(history, held)
    yield from _brokers(settings, opened.monitors, history, held, measure)
    yield from look_at_home_assistant(settings)


def _brokers(
    settings: Settings, monitors: list[Monitor], history: History | None, held: bool, measure: bool
) -> Iterator[Finding]:
    streams = history.streams if history else {}
    for name, broker in settings.connections.items():
        own = {each: monitor for each, monitor in settings.monitors.items() if monitor.broker == name}
        check = BrokerCheck(
            name, broker, settings.publish.prefix, [Template(monitor.topic).filter for monitor in own.values()]
        )
        needed = needed_messages([monitor for monitor in monitors if monitor.name in own], streams)
        known = any(streams.get(each) for each in own)
        try:
            yield from check.look(held, known, needed, measure or broker.is_loopback)
        except ForesenseError as error:  # a file of it, which the configuration has told already
            yield fail(place(name), f"cannot be tried: {error}", "mend what is said above")


def needed_messages(monitors: list[Monitor], streams: Mapping[str, int]) -> int | None:
    """Return how many messages come in twice an outage, one a reading; None if no streams are known."""
    rate = sum(
        streams.get(monitor.name, 0) * len(monitor.channels) * 1000 / monitor.bundle.manifest.interval_ms
        for monitor in monitors
    )
    return round(rate * OUTAGE_S * 2) or None


def _history(database: Path, held: bool) -> History | None:
    try:
        return read_history(database, held) if database.exists() else None
    except sqlite3.Error:
        return None  # which is told with the database
