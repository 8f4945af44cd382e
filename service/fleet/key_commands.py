"""The commands about keys: make one, and sign a bundle with it."""

import json
from importlib.metadata import version
from pathlib import Path

import click

from edge.duration import parse_duration
from edge.errors import ConfigError
from service.fleet.key_options import key_option, passphrase_option
from service.fleet.private_key import PrivateKey, read_passphrase
from service.fleet.signing import sign_bundle


@click.command()
@click.argument("path", metavar="KEY", type=click.Path(path_type=Path))
@passphrase_option
def keygen(path: Path, passphrase_file: Path | None) -> None:
    """Make a key that signs bundles and orders for devices.

    KEY is a new file for the private key, such as release.key; only its owner can read it. Beside it, the public key
    is written to a file that ends in .pub: a line of the keyring of each device that is to trust it.
    """
    public_path = path.with_suffix(".pub")
    if public_path == path or public_path.exists():
        raise ConfigError(f"{public_path}: expected a name that is free for the public key, got one that is taken")
    public = PrivateKey.make(path, read_passphrase(passphrase_file)).public
    public_path.write_text(f"{public.line}\n")
    click.echo(f"{path}: private key {public.id}; keep it where bundles are signed and deployed")
    click.echo(f"{public_path}: public key {public.id}; add its line to the keyring of each device")


@click.command()
@click.argument("path", metavar="BUNDLE", type=click.Path(path_type=Path))
@key_option
@passphrase_option
@click.option("--valid", default="365d", show_default=True, metavar="DURATION", help="How long devices may take it.")
@click.option("--minimum-agent", metavar="RELEASE", help="Oldest release that can run it.  [default: this one]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def sign(
    path: Path, key: Path, passphrase_file: Path | None, valid: str, minimum_agent: str | None, as_json: bool
) -> None:
    """Test a bundle and sign it for devices.

    BUNDLE is a folder such as bundles/pump/3, whose version is a whole number. It gets a file signature.json with the
    digest of every other file; signing again replaces it.
    """
    private = PrivateKey.read(key, read_passphrase(passphrase_file))
    try:
        valid_s = parse_duration(valid) / 1000
    except ConfigError as error:
        raise ConfigError(f"--valid: {str(error).removeprefix('interval: ')}") from error
    document = sign_bundle(path, private, valid_s, minimum_agent or version("foresense"))
    if as_json:
        facts = {"name": document.name, "version": document.version, "key": document.key, "bytes": document.size}
        click.echo(json.dumps(facts | {"expires": document.expires, "minimum_agent": document.minimum_agent}))
    else:
        click.echo(
            f"{document.name}/{document.version}: signed with key {document.key}, {document.size:,} bytes, "
            f"valid until {document.expires}, for foresense {document.minimum_agent} and newer"
        )
