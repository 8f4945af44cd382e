"""The commands about devices: deploy a bundle, roll one back, and see how the fleet is."""

import hashlib
import json
import logging
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import click

from edge.errors import ConfigError
from edge.updates.keys import Keyring
from edge.updates.ledger import State
from edge.updates.report import BundleReport, DeviceReport
from service.configuration import read_settings
from service.fleet.deployment import Deployment
from service.fleet.key_options import key_option, passphrase_option
from service.fleet.line import Line
from service.fleet.orders import Orders
from service.fleet.private_key import PrivateKey, read_passphrase
from service.fleet.recall import Recall
from service.fleet.rollout import Rollout, Standing
from service.fleet.shelf import Shelf
from service.fleet.targets import choose
from service.settings import Settings

_CONFIG = click.option(
    "--config",
    default="foresense.yaml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The service's configuration: broker, publish.prefix and bundles are taken from it.",
)
_BROKER = click.option("--broker", metavar="NAME", help="One of several `brokers` of the configuration.")
_TO = click.option("--to", required=True, metavar="DEVICE|GROUP|PERCENT%|all", help="Which devices.")
_MINUTES = click.option(
    "--minutes", type=click.FloatRange(min=0.01), default=60, show_default=True, help="End after so long."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@click.argument("name")
@click.argument("version")
@_TO
@key_option
@passphrase_option
@click.option(
    "--keyring",
    type=click.Path(path_type=Path),
    help="The keys that the devices trust, if the bundle is signed with another than --key.",
)
@click.option("--at-once", type=click.IntRange(min=1), default=20, show_default=True, help="Most devices at a time.")
@click.option("--tolerate", type=click.IntRange(min=0), default=0, show_default=True, help="Failures before it stops.")
@click.option("--again", is_flag=True, help="Have devices that refused this very bundle try again.")
@_MINUTES
@_CONFIG
@_BROKER
@_JSON
def deploy(
    name: str,
    version: str,
    to: str,
    key: Path,
    passphrase_file: Path | None,
    keyring: Path | None,
    at_once: int,
    tolerate: int,
    again: bool,
    minutes: float,
    config: Path,
    broker: str | None,
    as_json: bool,
) -> None:
    """Have devices fetch a signed bundle, try it, and keep it if it does well.

    The orders are signed with --key, which the devices must trust, as they must trust that of the bundle.
    One device begins; one more may follow for each that has committed. If more devices fail than are tolerated, no
    other gets the bundle. The command gives the devices what they ask for until all have committed, so let it run;
    called again, it goes on from where the devices are. Exits with 1 if not all of them have the bundle.
    """
    logging.basicConfig(level="WARNING", format="%(levelname)s: %(message)s")
    settings = read_settings(config)
    private = PrivateKey.read(key, read_passphrase(passphrase_file))
    keys = Keyring({private.public.id: private.public}) if keyring is None else Keyring.read(keyring)
    shelf = Shelf(settings.bundles / name / version, keys)
    with _line(settings, config, broker) as line:
        rollout = Rollout(choose(to, name, line.reports()), at_once, tolerate)
        order_id = secrets.token_hex(8) if again else hashlib.sha256(shelf.deployment.encode()).hexdigest()[:16]
        deployment = Deployment(line, Orders(line, private, name), shelf, rollout, order_id, again)
        if not as_json:
            deployment.on_news = lambda device, said: click.echo(f"{device}: {said}")
        deployment.run(time.monotonic() + minutes * 60)
    _tell_outcome(rollout, f"{name}/{version}", as_json)


@click.command()
@click.argument("name")
@_TO
@key_option
@passphrase_option
@_MINUTES
@_CONFIG
@_BROKER
@_JSON
def rollback(
    name: str,
    to: str,
    key: Path,
    passphrase_file: Path | None,
    minutes: float,
    config: Path,
    broker: str | None,
    as_json: bool,
) -> None:
    """Have devices go back to the version of a bundle that was in charge before.

    Each device keeps one. To go forward again, sign and deploy a newer version. The orders are signed with --key, which
    the devices must trust. Exits with 1 if not all went back.
    """
    logging.basicConfig(level="WARNING", format="%(levelname)s: %(message)s")
    settings, private = read_settings(config), PrivateKey.read(key, read_passphrase(passphrase_file))
    with _line(settings, config, broker) as line:
        recall = Recall(line, Orders(line, private, name), name)
        recall.run(choose(to, name, line.reports()), time.monotonic() + minutes * 60)
    if as_json:
        click.echo(json.dumps(recall.said))
    else:
        click.echo("\n".join(f"{device}: {words}" for device, words in recall.said.items()))
    if not recall.is_done:
        sys.exit(1)


@click.command()
@_CONFIG
@_BROKER
@_JSON
def fleet(config: Path, broker: str | None, as_json: bool) -> None:
    """Show each device's bundles: the one in charge, the last update and why it failed, lag, alarms, when last seen."""
    logging.basicConfig(level="WARNING", format="%(levelname)s: %(message)s")
    with _line(read_settings(config), config, broker) as line:
        reports = line.reports()
    rows = [row for _, report in sorted(reports.items()) for row in _rows(report, time.time() * 1000)]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(_sentence(row))
    if not rows:
        click.echo("no device has reported yet")


def _line(settings: Settings, config: Path, broker: str | None) -> Line:
    """Return the line through the broker that devices and service share."""
    connections = settings.connections
    name = settings.publish.broker if broker is None else broker
    if name not in connections:
        known = ", ".join(connections)
        raise ConfigError(f"{config}: expected --broker to name one of brokers ({known}), got {name or 'none'}")
    return Line(connections[name], settings.publish.prefix)


def _rows(report: DeviceReport, now_ms: float) -> list[dict[str, Any]]:
    """Return what is told of a device, a row for each bundle; one without any has a row as well."""
    return [
        {
            "device": report.device,
            "groups": list(report.groups),
            "agent": report.agent,
            "bundle": name,
            "in_charge": bundle.in_charge,
            "previous": bundle.slots[1] if len(bundle.slots) > 1 else None,
            "state": bundle.state,
            "version": bundle.version,
            "reason": bundle.reason,
            "refused": bundle.refused,
            "received": bundle.received,
            "size": bundle.size,
            "lag_s": None if bundle.newest_ms is None else round((now_ms - bundle.newest_ms) / 1000, 1),
            "alarms_per_day": round(bundle.alarms_per_day, 2),
            "last_seen_s": round((now_ms - report.time) / 1000, 1),
        }
        for name, bundle in (report.bundles or {"": BundleReport()}).items()
    ]


def _sentence(row: dict[str, Any]) -> str:
    lag = "no verdict yet" if row["lag_s"] is None else f"verdicts {row['lag_s']:g} s old"
    state = f"; {row['version']} {row['state']}" if row["version"] else ""
    state += (
        f" ({100 * row['received'] / row['size']:.0f} %)" if row["state"] == State.DOWNLOADING and row["size"] else ""
    )
    state += f": {row['reason']}" if row["reason"] else ""
    state += f"; order refused: {row['refused']}" if row["refused"] else ""
    groups = f" [{', '.join(row['groups'])}]" if row["groups"] else ""
    return (
        f"{row['device']}{groups}: {row['bundle']}/{row['in_charge'] or 'none'}, {lag}, "
        f"{row['alarms_per_day']:g} alarms a day, seen {row['last_seen_s']:g} s ago{state}"
    )


def _tell_outcome(rollout: Rollout, bundle: str, as_json: bool) -> None:
    done = rollout.of(Standing.DONE)
    open_ = {each: rollout.of(each) for each in (Standing.FAILED, Standing.ORDERED, Standing.WAITING)}
    if as_json:
        click.echo(
            json.dumps({"bundle": bundle, "done": done, "stopped": rollout.is_stopped, **open_, "said": rollout.said})
        )
    else:
        click.echo(f"{bundle}: {len(done)} of {len(rollout.standing)} devices have it")
        for standing, devices in open_.items():
            if devices:
                click.echo(f"{standing}: {', '.join(devices)}")
        if rollout.is_stopped:
            click.echo("stopped, as too many have failed; --again has them try again")
    if len(done) < len(rollout.standing):
        sys.exit(1)
