"""`foresense simulate`: a plant of pumps that sends readings, and breaks down now and then."""

import json
import logging
import secrets
import signal
from pathlib import Path
from typing import Any

import click

from edge.errors import ConfigError
from edge.receipt_clock import wall_ms
from service.brokers.address import broker_at
from service.brokers.broker import BrokerSettings
from service.durations import Duration
from service.simulate.feed import Feed, as_json, describe
from service.simulate.history import write_csv
from service.simulate.plant import Plant

_ENCRYPTED = ("mqtts://", "wss://")
_DAYS = "3d"
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option(
    "--broker",
    "address",
    default="localhost:1883",
    show_default=True,
    metavar="ADDRESS",
    help="HOST, HOST:PORT or a URL.",
)
@click.option("--ca-file", type=_FILE, help="mqtts: certificates of the authorities that are trusted, as PEM.")
@click.option("--certificate-file", type=_FILE, help="mqtts: our own certificate, if the broker asks for one, as PEM.")
@click.option("--key-file", type=_FILE, help="mqtts: its key; without it, the key is in --certificate-file.")
@click.option("--pumps", type=click.IntRange(1, 1000), default=4, show_default=True, help="How many there are.")
@click.option("--interval", type=Duration(), default="10s", show_default=True, help="Of the readings.")
@click.option("--since", type=Duration(), help=f"Begin so long ago.  [default: now; with --csv {_DAYS}]")
@click.option("--for", "lasts", type=Duration(), help="End after so long of the plant's time.  [default: with Ctrl-C]")
@click.option(
    "--speed", type=click.FloatRange(1), help="How many times as fast what has passed is sent.  [default: at once]"
)
@click.option("--faults/--no-faults", default=True, show_default=True, help="Whether something breaks now and then.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Another is another plant.")
@click.option("--csv", "path", type=_FILE, metavar="FILE", help="Write what has passed to this file, to train on.")
@click.option("--json", "as_lines", is_flag=True, help="With --csv: print each fault as a line of JSON.")
def simulate(
    address: str,
    ca_file: Path | None,
    certificate_file: Path | None,
    key_file: Path | None,
    pumps: int,
    interval: int,
    since: int | None,
    lasts: int | None,
    speed: float | None,
    faults: bool,
    seed: int,
    path: Path | None,
    as_lines: bool,
) -> None:
    """Simulate a plant of pumps that send flow, pressure, power, vibration and temperature over MQTT.

    They follow the water that a town wants through the day. In every 45 minutes one fault begins: a leak, bearing
    wear, a sensor that is stuck, drifts or has spikes, or silence. What is broken is logged, and told, retained, at
    simulated/SITE/PUMP/fault, so that alarms can be compared with it.

    ADDRESS may be a URL of mqtt, mqtts, ws or wss. With --csv nothing is sent: the readings of the time that --since
    and --for tell are written to a file, which `foresense train` reads (--device pump).
    """
    plant = Plant(pumps, interval, seed, faults)
    now = wall_ms()
    if path is not None:
        start = now - (since or Duration().convert(_DAYS, None, None))
        _write(plant, start, min(start + lasts, now) if lasts else now, path, as_lines)
        return
    broker = _broker(address, ca_file=ca_file, certificate_file=certificate_file, key_file=key_file)
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s")
    feed = Feed(broker, plant)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: feed.stop())
    start = now - (since or 0)
    feed.run(start, start + lasts if lasts else None, speed or float("inf"))
    click.echo(f"{feed.messages} messages sent")


def _write(plant: Plant, start: int, end: int, path: Path, as_lines: bool) -> None:
    rows = write_csv(plant, start, end, path)
    for fault in plant.faults_between(start, end):
        click.echo(json.dumps(as_json(plant, fault)) if as_lines else describe(plant, fault))
    click.echo(f"{rows} rows of {len(plant.names)} pumps in {path}", err=as_lines)


def _broker(address: str, **files: Path | None) -> BrokerSettings:
    """Return how to reach the broker at an address; ConfigError if that is none."""
    given = {name: path for name, path in files.items() if path is not None}
    if given and not address.startswith(_ENCRYPTED):
        option = next(iter(given)).replace("_", "-")
        raise ConfigError(f"--broker: expected {' or '.join(_ENCRYPTED)} beside --{option}, got {address!r}")
    tls: dict[str, Any] = {"tls": given} if given else {}
    return broker_at(address, client_id=f"simulated-plant-{secrets.token_hex(3)}", **tls)
