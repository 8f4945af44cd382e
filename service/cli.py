"""The `foresense` command. Each subcommand is imported when it is called, so that --help is quick."""

import sys
from importlib import import_module
from typing import Any

import click

from edge.errors import ForesenseError

COMMANDS = {
    "families": "models.catalogue:families",
    "train": "models.cli:train",
    "compare": "models.search.cli:compare",
    "tune": "models.search.cli:tune",
    "verify": "edge.cli:verify",
    "edge": "edge.agent.command:edge",
    "export-c": "models.tflite.command:export_c",
    "detect": "models.cli:detect",
    "backtest": "models.backtest.command:backtest",
    "benchmark": "models.benchmark.command:benchmark",
    "check": "service.commands:check",
    "serve": "service.commands:serve",
    "status": "service.operation.status:status",
    "verdicts": "service.desk.verdicts:verdicts",
    "mute": "service.desk.desk_commands:mute",
    "unmute": "service.desk.desk_commands:unmute",
    "mutes": "service.desk.desk_commands:mutes",
    "accept": "service.desk.desk_commands:accept",
    "label": "service.desk.desk_commands:label",
    "test-notifications": "service.notifications.command:test_notifications",
    "users": "service.api.account_commands:users",
    "tokens": "service.api.account_commands:tokens",
    "backup": "service.storage.backup:backup",
    "dead-letters": "service.desk.dead_letter_commands:dead_letters",
    "sniff": "service.sniff.command:sniff",
    "record": "service.traffic.commands:record",
    "decode": "service.traffic.commands:decode",
    "doctor": "service.doctor.command:doctor",
    "keygen": "service.fleet.key_commands:keygen",
    "sign": "service.fleet.key_commands:sign",
    "deploy": "service.fleet.fleet_commands:deploy",
    "rollback": "service.fleet.fleet_commands:rollback",
    "fleet": "service.fleet.fleet_commands:fleet",
    "simulate": "service.simulate.command:simulate",
    "demo": "service.demo.command:demo",
}
_EXTRAS = {"models": "train", "service": "service"}


class _Commands(click.Group):
    """Finds subcommands by name in COMMANDS and tells the user's errors from bugs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        try:
            command: click.Command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get(module.partition(".")[0], "all")
            raise click.ClickException(
                f"{name} needs {error.name}, which is not installed: pip install 'foresense[{extra}]'"
            ) from error
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ForesenseError as error:
            click.echo(f"foresense: {error}", err=True)
            sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="foresense", prog_name="foresense")
def main() -> None:
    """Watch sensors: a reading that the forecast did not foresee is an anomaly.

    \b
    Exit codes: 0 done; 1 done, and the answer is no (a bundle does not verify, the demo
    missed an event); 2 not done: something given is not as it must be, and the message
    says what, where, expected and got.
    """  # noqa: D301
