"""Commands that run wherever the edge runs."""

import json
import sys
from pathlib import Path

import click

from edge.errors import BundleError
from edge.golden import self_test
from edge.runtimes import RUNTIMES
from edge.updates.keys import Keyring
from edge.updates.signature import read_signed_bundle


@click.command()
@click.argument("path", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option("--runtime", type=click.Choice(list(RUNTIMES)), help="To try it in.  [default: one that is installed]")
@click.option("--keyring", type=click.Path(path_type=Path), help="Trusted keys, one of which must have signed it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(path: Path, runtime: str | None, keyring: Path | None, as_json: bool) -> None:
    """Check a bundle: its seal, its files' digests, and its golden verdicts in a runtime.

    BUNDLE is a folder such as bundles/pump/3. Exits with 0 if it may be trusted, else with 1.
    """
    keys = None if keyring is None else Keyring.read(keyring)
    try:
        bundle = read_signed_bundle(path, keys)
        verdicts = self_test(bundle, runtime)
    except BundleError as error:
        click.echo(
            json.dumps({"ok": False, "error": str(error)}) if as_json else f"foresense: {error}", err=not as_json
        )
        sys.exit(1)
    if as_json:
        click.echo(json.dumps({"ok": True, "bundle": bundle.reference, "golden_verdicts": verdicts}))
    else:
        signed = "" if keys is None else "signed, "
        click.echo(f"{bundle.reference}: {signed}sealed, unchanged, and its {verdicts} golden verdicts hold")
