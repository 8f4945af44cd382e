"""The options of commands that sign: the key, and what protects it."""

from pathlib import Path

import click

from service.fleet.private_key import PASSPHRASE

key_option = click.option(
    "--key", required=True, type=click.Path(path_type=Path), help="Private key, of `foresense keygen`."
)
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help=f"File whose first line protects the key.  [default: {PASSPHRASE} of the environment, else none]",
)
