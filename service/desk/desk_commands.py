"""The commands of operators: mute and unmute, accept a new level, label an alarm. The service may be running."""

import getpass
import json
from difflib import get_close_matches
from pathlib import Path

import click

from edge.errors import ConfigError
from edge.messages.stamp import iso
from service.configuration import read_settings
from service.desk.desk import Desk
from service.durations import Duration

_FILE = click.argument("path", metavar="CONFIG", type=click.Path(path_type=Path))


@click.command()
@_FILE
@click.argument("target", metavar="MONITOR[/STREAM-PATTERN]")
@click.option("--for", "duration_ms", required=True, type=Duration(), help="How long, such as 30min, 2h or 7d.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept with each alarm that is held.")
def mute(path: Path, target: str, duration_ms: int, reason: str) -> None:
    """Keep the alarms of a monitor's streams from being published for some time.

    They go on being found and stored, and one that is still open when the mute ends is published then.
    STREAM-PATTERN is a name in which * stands for anything: quote it. Muting the same again sets a new end.
    """
    desk, monitor, pattern = _desk(path, target)
    made = desk.mute(monitor, pattern, duration_ms, reason)
    streams = sum(made.holds(monitor, name) for name in desk.streams(monitor))
    click.echo(f"{monitor}/{pattern}: muted until {iso(made.until)}; {streams} {_plural(streams)} so far")


@click.command()
@_FILE
@click.argument("target", metavar="MONITOR[/STREAM-PATTERN]")
def unmute(path: Path, target: str) -> None:
    """Take a mute back, as `foresense mutes` lists it."""
    desk, monitor, pattern = _desk(path, target)
    desk.unmute(monitor, pattern)
    click.echo(f"{monitor}/{pattern}: not muted any more")


@click.command()
@_FILE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def mutes(path: Path, as_json: bool) -> None:
    """List the mutes in force, the next to end first."""
    listed = _open(path).mutes()
    if as_json:
        rows = [
            {
                "monitor": each.monitor,
                "stream": each.stream,
                "until": iso(each.until),
                "reason": each.reason,
                "by": each.by,
                "created": iso(each.created),
            }
            for each in listed
        ]
        click.echo(json.dumps(rows))
        return
    for each in listed:
        why = f": {each.reason}" if each.reason else ""
        click.echo(f"{each.monitor}/{each.stream} until {iso(each.until)}, by {each.by} at {iso(each.created)}{why}")


@click.command()
@_FILE
@click.argument("target", metavar="MONITOR/STREAM")
def accept(path: Path, target: str) -> None:
    """Take the level of a stream in alarm as its new normal, as after a change of the machine or its use.

    The running service does it within about a second; one that is not running does it when it starts.
    """
    desk, monitor, stream = _desk(path, target)
    if read_settings(path).monitors[monitor].alarm.level == "never":
        raise ConfigError(f"{path}: monitors.{monitor}.alarm.level: expected confirm or sustained, got never")
    desk.accept(monitor, stream)
    click.echo(f"{monitor}/{stream}: the service is asked to accept its present level")


@click.command()
@_FILE
@click.argument("alarm", metavar="ALARM-ID")
@click.argument("truth", metavar="false|true", type=click.Choice(["false", "true"]))
@click.option("--note", default="", metavar="TEXT", help="What was found.")
def label(path: Path, alarm: str, truth: str, note: str) -> None:
    """Say whether an alarm was false or true: whether anything was wrong when it was raised.

    ALARM-ID is the `id` of its message. A label given again takes the place of the one before.
    """
    stream = _open(path).label(alarm, truth == "false", note)
    click.echo(f"alarm {alarm} of {stream}: a {truth} alarm")


def _open(path: Path) -> Desk:
    return Desk(read_settings(path).database, user())


def _desk(path: Path, target: str) -> tuple[Desk, str, str]:
    """Return the desk, and the monitor and the pattern of a target; ConfigError if there is no such monitor."""
    settings = read_settings(path)
    monitor, _, pattern = target.partition("/")
    if monitor not in settings.monitors:
        nearest = get_close_matches(monitor, settings.monitors, 1, 0.5)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join(settings.monitors)}"
        raise ConfigError(f"{path}: expected a monitor, got {monitor!r}; {hint}")
    return Desk(settings.database, user()), monitor, pattern or "*"


def user() -> str:
    """Return the name of whoever runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _plural(count: int) -> str:
    return "stream" if count == 1 else "streams"
