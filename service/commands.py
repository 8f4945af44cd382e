"""The commands of the service: look a configuration over, and run it."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from edge.errors import ForesenseError
from edge.operation.log_options import log_options
from edge.operation.logs import Format, Log
from service.app import build
from service.configuration import read_settings
from service.opening import Opened, open_parts
from service.pipeline.monitor import Monitor
from service.settings import Settings

_FILE = click.argument("path", metavar="FILE", type=click.Path(path_type=Path))


@click.command()
@_FILE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(path: Path, as_json: bool) -> None:
    """Check a configuration file as `serve` would, without connecting to anything.

    FILE is the YAML file of the service. Its bundles are read and tested. Prints what each monitor would
    watch, or every problem that can be found, and then exits with 2.
    """
    announced = None
    try:
        settings = read_settings(path)
        opened = open_parts(path, settings)
        announced = _announced(settings)
    except ForesenseError as error:
        opened = Opened([], [], [], str(error).splitlines())
    monitors, sinks, notifications, problems = opened
    found = [_facts(monitor) for monitor in monitors]
    if as_json:
        told = {sink.name: str(sink) for sink in sinks} | {each.sink.name: str(each.receiver) for each in notifications}
        click.echo(
            json.dumps(
                {
                    "ok": not problems,
                    "monitors": found,
                    "sinks": told,
                    "home_assistant": announced,
                    "problems": problems,
                }
            )
        )
    else:
        for facts in found:
            click.echo(
                f"{facts['monitor']}: {facts['filter']} with bundle {facts['bundle']}: {', '.join(facts['channels'])} "
                f"every {facts['interval_s']:g} s, {facts['budget']}, limit {facts['limit']:.3g} decades"
                + (f", readings up to {facts['lateness_s']:g} s late" if facts["lateness_s"] else "")
            )
        for sink in sinks:
            click.echo(f"{sink.name}: {sink}; up to {sink.most_bytes >> 20} MB may wait")
        for each in notifications:
            click.echo(f"{each.sink.name}: {each.receiver}: alarms from {each.settings.least_severity}")
        if announced:
            click.echo(f"home assistant: {announced}")
        for problem in problems:
            click.echo(f"foresense: {problem}", err=True)
    if problems:
        sys.exit(2)


@click.command()
@_FILE
@log_options
def serve(path: Path, log_level: str, log_format: Format) -> None:
    """Watch what a configuration file says, until SIGTERM or Ctrl-C.

    FILE is the YAML file of the service. The service is ready when the log says so and the retained message
    at PREFIX/service/availability is `online`.
    """
    log = Log()
    log.start(log_level, log_format)
    try:
        ended_well = build(path, log_format).run(log.tell)
    finally:
        log.tell(everything=True)
    sys.exit(0 if ended_well else 1)


def _facts(monitor: Monitor) -> dict[str, Any]:
    return {
        "monitor": monitor.name,
        "topic": str(monitor.template),
        "filter": monitor.template.filter,
        "bundle": monitor.bundle.reference,
        "channels": monitor.channels,
        "interval_s": monitor.bundle.manifest.interval_ms / 1000,
        "budget": str(monitor.budget),
        "limit": monitor.limit,
        "lateness_s": monitor.lateness_ms / 1000,
    }


def _announced(settings: Settings) -> str | None:
    """Return what is announced to Home Assistant, and where; None if nothing is."""
    if not settings.home_assistant.enabled:
        return None
    names = ", ".join(name for name, monitor in settings.monitors.items() if monitor.home_assistant) or "nothing"
    place = settings.connections[settings.home_assistant_broker].address
    return f"{names} announced beneath {settings.home_assistant.prefix}/device/ at {place}"
