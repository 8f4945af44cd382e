"""`foresense dead-letters`: what was set aside, why, and what is done with it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edge.align import LATEST
from edge.errors import ConfigError
from edge.messages.stamp import iso
from edge.payloads.payload import LARGEST_PAYLOAD
from edge.payloads.rejects import Reason
from service.desk.choice import moment
from service.desk.dead_letters import DeadLetters, Letter, Which, escaped
from service.desk.desk_commands import user
from service.output import writing
from service.relays.letters import REFUSED
from service.storage.access import Access, database_of

_PATH = click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_REASONS = [*(each.value for each in Reason), REFUSED]
_LONGEST = 100  # signs of a topic or a detail in a list


def _chosen(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which dead letters are meant."""
    for option in (
        click.option("--to", "end", metavar="TIME", help="Received before this."),
        click.option(
            "--from", "start", metavar="TIME", help="Received from here on, a time or a day; of UTC unless told."
        ),
        click.option("--topic", metavar="PATTERN", help="On topics like this, in which * stands for anything."),
        click.option("--sink", metavar="NAME", help="What this sink has refused."),
        click.option("--reason", type=click.Choice(_REASONS), help="Set aside for this reason."),
    ):
        command = option(command)
    return command


def _which(
    reason: str | None, sink: str | None, topic: str | None, start: str | None, end: str | None,
    ids: tuple[str, ...] = (),
) -> Which:  # fmt: skip
    return Which(ids, reason, sink, topic, moment("--from", start, 0), moment("--to", end, LATEST))


@click.group("dead-letters")
def dead_letters() -> None:
    """List, show, replay or purge the messages that could not be read, and what sinks have refused.

    FILE is the service's configuration or its database. The service may be running.
    """


@dead_letters.command("list")
@_PATH
@_chosen
@click.option("--most", type=click.IntRange(1), default=20, show_default=True, help="How many of the newest.")
@_JSON
def list_(path: Path, most: int, as_json: bool, **chosen: Any) -> None:
    """List the newest, and how many there are of each reason."""
    which = _which(**chosen)
    desk = _open(path)
    letters, counts = desk.list(which, most), desk.count(which)
    if as_json:
        click.echo(json.dumps({"counts": counts, "dead_letters": [_facts(letter) for letter in letters]}))
        return
    for letter in letters:
        topic, detail = (escaped(text.encode())[:_LONGEST] for text in (letter.topic, letter.detail))
        click.echo(f"{letter.id}  {iso(letter.received)}  {letter.reason}  {topic or '-'}  {letter.size} B  {detail}")
    total = ", ".join(f"{reason} {count}" for reason, count in counts.items())
    click.echo(f"{_letters(sum(counts.values()))}{': ' * bool(total)}{total}")


@dead_letters.command()
@_PATH
@click.argument("ident", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path), help="File to write the very bytes of the payload to.")
@_JSON
def show(path: Path, ident: str, out: Path | None, as_json: bool) -> None:
    """Show one, with its payload; signs that cannot be printed are told by their codes."""
    letter, payload = _open(path).show(ident)
    if out is not None:
        with writing(out):
            out.write_bytes(payload)
    facts = _facts(letter) | {"payload": escaped(payload)}
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        click.echo(f"{name:>9}: {escaped(value.encode()) if name in ('topic', 'detail') else value}")


@dead_letters.command()
@_PATH
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_chosen
@click.option("--all", "everything", is_flag=True, help="All there are.")
def replay(path: Path, ids: tuple[str, ...], everything: bool, **chosen: Any) -> None:
    """Have the service read dead letters again, as if they came now, at the time they first came.

    What a sink has refused goes back into its outbox, and is sent as if it were new. The running service does it
    within about a second, one that is not running when it starts. What fails again comes back, under a new id.
    """
    which = _some(ids, everything, chosen)
    asked, cut = _open(path).replay(which)
    click.echo(f"{_letters(asked)}: the service is asked to try {'it' if asked == 1 else 'them'} again")
    if cut:
        click.echo(
            f"{_letters(cut)} cannot be: larger than {LARGEST_PAYLOAD} bytes, of which only the beginning was kept",
            err=True,
        )
    if not asked:
        sys.exit(1)


@dead_letters.command()
@_PATH
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_chosen
@click.option("--all", "everything", is_flag=True, help="All there are.")
def purge(path: Path, ids: tuple[str, ...], everything: bool, **chosen: Any) -> None:
    """Throw dead letters away."""
    which = _some(ids, everything, chosen)
    click.echo(f"{_letters(_open(path).purge(which))} thrown away")


def _some(ids: tuple[str, ...], everything: bool, chosen: dict[str, Any]) -> Which:
    if everything == bool(ids or any(chosen.values())):
        raise ConfigError(f"expected ids, a choice such as --reason, or --all, got {'both' if everything else 'none'}")
    return _which(ids=ids, **chosen)


def _open(path: Path) -> DeadLetters:
    return DeadLetters(Access(database_of(path)), user())


def _facts(letter: Letter) -> dict[str, Any]:
    return letter._asdict() | {"received": iso(letter.received)}


def _letters(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"
