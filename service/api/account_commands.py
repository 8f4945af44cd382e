"""`foresense users` and `foresense tokens`: who may use dashboard and API. No secret is ever an argument."""

import json
import os
import sys
from pathlib import Path

import click

from edge.errors import ConfigError, ForesenseError
from edge.messages.stamp import iso, iso_or_none
from service.api.accounts import Account, Accounts
from service.api.roles import Role
from service.durations import Duration
from service.storage.access import Access, database_of

_PATH = click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
_NAME = click.argument("name", metavar="NAME")
_ROLE = click.option(
    "--role",
    type=click.Choice([role.word for role in Role]),
    default="viewer",
    show_default=True,
    help="What they may do: see; also acknowledge, label, mute and set budgets; everything.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")


@click.group()
def users() -> None:
    """Add, list or remove the people who may log in.

    FILE is the service's configuration or its database. The service may be running, and must have been started once.
    """


@users.command("add")
@_PATH
@_NAME
@_ROLE
@click.option("--password-file", type=click.Path(path_type=Path), help="File whose first line is the password.")
def add_user(path: Path, name: str, role: str, password_file: Path | None) -> None:
    """Add a user, or give one a new password and role, which ends their sessions.

    The password is asked for, or is the first line of a file or of standard input.
    """
    accounts = _open(path)
    accounts.add_user(name, Role[role.upper()], _password(password_file))
    click.echo(f"{name}: may log in as {role}")


@users.command("list")
@_PATH
@_JSON
def list_users(path: Path, as_json: bool) -> None:
    """List the users."""
    _show(_open(path).users(), as_json)


@users.command("remove")
@_PATH
@_NAME
def remove_user(path: Path, name: str) -> None:
    """Remove a user, which ends their sessions."""
    _open(path).remove_user(name)
    click.echo(f"{name}: may not log in any more")


@click.group()
def tokens() -> None:
    """Add, list or remove the tokens of programs, which they send as `Authorization: Bearer TOKEN`.

    FILE is the service's configuration or its database. The service may be running, and must have been started once.
    """


@tokens.command("add")
@_PATH
@_NAME
@_ROLE
@click.option("--for", "lasts_ms", type=Duration(), help="How long it lasts, such as 90d.  [default: until removed]")
@click.option("--out", type=click.Path(path_type=Path), help="File to write it to, which only you can read.")
def add_token(path: Path, name: str, role: str, lasts_ms: int | None, out: Path | None) -> None:
    """Add a token, and print it this once: the database only has its digest."""
    accounts = _open(path)
    if out is None:
        click.echo(accounts.add_token(name, Role[role.upper()], lasts_ms))
        return
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"--out: {out}: expected a file that can be made, got: {error.strerror}") from error
    try:
        with os.fdopen(handle, "w") as file:
            file.write(accounts.add_token(name, Role[role.upper()], lasts_ms) + "\n")
    except ForesenseError:
        out.unlink()
        raise
    click.echo(f"{out}: a token named {name} with the role {role}")


@tokens.command("list")
@_PATH
@_JSON
def list_tokens(path: Path, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    _show(_open(path).tokens(), as_json)


@tokens.command("remove")
@_PATH
@_NAME
def remove_token(path: Path, name: str) -> None:
    """Remove a token, which lets nobody in any more."""
    _open(path).remove_token(name)
    click.echo(f"{name}: lets nobody in any more")


def _open(path: Path) -> Accounts:
    return Accounts(Access(database_of(path)))


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--password-file: {file}: expected a file with a password, got: {error}") from error
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _show(accounts: list[Account], as_json: bool) -> None:
    facts = [
        {
            "name": each.name,
            "role": each.role.word,
            "created": iso(each.created),
            "expires": iso_or_none(each.expires),
        }
        for each in accounts
    ]
    if as_json:
        click.echo(json.dumps(facts))
        return
    for each in facts:
        until = f", until {each['expires']}" if each["expires"] else ""
        click.echo(f"{each['name']}  {each['role']}  since {each['created']}{until}")
