"""`foresense test-notifications`: a test message to everybody who would be told of an alarm."""

import logging
import sys
import time
from pathlib import Path

import click
import msgspec

from edge.errors import ConfigError
from service.configuration import read_settings
from service.notifications.artist import draw_apart
from service.notifications.episode import Episode
from service.notifications.notice import Message
from service.notifications.opening import open_notifications

_SLOTS, _SLOT_MS = 120, 60_000


@click.command("test-notifications")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--only", metavar="NAME", help="The receivers of one entry of `notifications`.")
def test_notifications(path: Path, only: str | None) -> None:
    """Send a test message, with a picture where they are wanted, to all receivers of notifications.

    FILE is the YAML file of the service, which may be running. Quiet hours do not matter. Prints a line for each
    receiver, which says nothing of its URL, and exits with 1 if one has not taken it.
    """
    logging.basicConfig(level="WARNING")
    settings = read_settings(path)
    wanted = {name: each for name, each in settings.notifications.items() if only in (None, name)}
    if not wanted:
        known = ", ".join(settings.notifications) or "none"
        raise ConfigError(
            f"{path}: expected notifications" + (f" of the name {only!r}, known are {known}" if only else "")
        )
    opened, problems = open_notifications(wanted, settings.database)
    for problem in problems:
        click.echo(f"foresense: {path}: {problem}", err=True)
    failed = bool(problems)
    text = "This is a test of Foresense. Nothing has happened; the picture shows invented values."
    message = Message("Test of notifications", text, "minor", {})
    wants_picture = any(each.settings.picture for each in opened)
    picture = draw_apart(msgspec.json.encode(_example())) if wants_picture else None
    for each in opened:
        answer = each.receiver.tell(message, picture if each.settings.picture else None)
        failed |= not answer.delivered
        click.echo(
            f"{each.sink.name.removeprefix('notify:')}: {each.receiver}: "
            + ("taken" if answer.delivered else str(answer))
        )
    sys.exit(1 if failed else 0)


def _example() -> Episode:
    """Return an episode that never was: a value that leaves its band."""
    end = time.time_ns() // 1_000_000
    times = [end - (_SLOTS - slot) * _SLOT_MS for slot in range(_SLOTS)]
    value: list[float | None] = [20 + slot % 5 / 10 + (4.0 if 90 <= slot < 100 else 0.0) for slot in range(_SLOTS)]
    low: list[float | None] = [19.5] * _SLOTS
    high: list[float | None] = [21.0] * _SLOTS
    return Episode("test of notifications", "degC", "UTC", times[90], times[100], times, value, low, high)
