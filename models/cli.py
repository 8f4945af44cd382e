"""Commands for recorded data: train a forecaster on it, detect anomalies in it."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from edge.bundle import Bundle, read_bundle
from edge.calendar import zone
from edge.errors import ConfigError
from edge.limits import Budget
from models.families import FAMILIES


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--time", required=True, metavar="COL", help="Column of the times.")
@click.option("--channel", "channels", required=True, multiple=True, metavar="COL[=UNIT]", help="Column to watch.")
@click.option("--device", metavar="COL", help="Column that tells the streams apart; without one DATA is one stream.")
@click.option("--stream", metavar="NAME", help="Name of that one stream.  [default: the file's name]")
@click.option("--interval", metavar="DURATION", help="Such as 10s, 5min, 1h.  [default: the median spacing]")
@click.option("--zone", "time_zone", default="UTC", show_default=True, help="Of times without offset, and of days.")
@click.option("--start", metavar="TIME", help="Use the data from here on.")
@click.option("--end", metavar="TIME", help="Use the data before this.")
@click.option("--family", help=f"Kind of network: {', '.join(FAMILIES)}.  [default: lstm]")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any hyperparameter, such as units=64.")
@click.option("--budget", default="1 per month", show_default=True, help="False alarms a stream that are accepted.")
@click.option("--name", help="Of the bundle.  [default: the file's name]")
@click.option("--out", type=click.Path(path_type=Path), default="bundles", show_default=True, help="Where bundles lie.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no progress.")
def train(
    data: Path,
    time: str,
    channels: tuple[str, ...],
    device: str | None,
    stream: str | None,
    interval: str | None,
    time_zone: str,
    start: str | None,
    end: str | None,
    family: str | None,
    settings: tuple[str, ...],
    budget: str,
    name: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Train a forecaster on DATA, a CSV or Parquet file, and seal it as a bundle."""
    from models.data import read_recordings
    from models.duration import parse_duration
    from models.quiet import quiet_tensorflow
    from models.spec import read_settings
    from models.table import Table

    spec, training = read_settings(_pairs(settings) | ({"family": family} if family else {}))
    Budget.parse(budget)
    units = dict(each.partition("=")[::2] for each in channels)
    table = Table(data, time, tuple(units), device, stream, time_zone)
    interval_ms = parse_duration(interval) if interval else None
    begin, stop = _moment(start, "start", time_zone), _moment(end, "end", time_zone)
    recordings = [each.cut(begin, stop) for each in read_recordings(table, interval_ms)]

    quiet_tensorflow()
    from models.bundling import train_bundle

    bundle = train_bundle(
        recordings,
        spec,
        training,
        name=name or data.stem,
        out=out,
        units=units,
        time_zone=time_zone,
        budget=budget,
        progress=not as_json,
    )
    _tell(bundle, as_json=as_json)


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--bundle", "path", required=True, type=click.Path(path_type=Path), help="Such as bundles/pump/3.")
@click.option("--time", default="time", show_default=True, metavar="COL", help="Column of the times.")
@click.option("--channel", "channels", multiple=True, metavar="NAME=COL", help="Column of a channel, if not its name.")
@click.option("--device", metavar="COL", help="Column that tells the streams apart; without one DATA is one stream.")
@click.option("--stream", metavar="NAME", help="Name of that one stream.  [default: the file's name]")
@click.option("--budget", help="False alarms a stream that are accepted.  [default: the bundle's]")
@click.option("--out", type=click.Path(path_type=Path), help="CSV file to write.  [default: standard output]")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object, and no CSV without --out.")
def detect(
    data: Path,
    path: Path,
    time: str,
    channels: tuple[str, ...],
    device: str | None,
    stream: str | None,
    budget: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Detect anomalies in DATA, a CSV or Parquet file: one row for each slot and channel."""
    from models.detection import detect_table, write_csv
    from models.table import Table

    bundle = read_bundle(path)
    columns = {each.name: each.name for each in bundle.manifest.channels}
    for name, column in _pairs(channels).items():
        if name not in columns:
            raise ConfigError(f"--channel: expected one of the bundle's {', '.join(columns)}, got {name!r}")
        columns[name] = column
    table = Table(data, time, tuple(columns.values()), device, stream, bundle.manifest.time_zone)
    detected = detect_table(bundle, table, Budget.parse(budget) if budget else None)
    if out is not None:
        with out.open("w", encoding="utf-8", newline="") as file:
            write_csv(detected, file)
    elif not as_json:
        write_csv(detected, sys.stdout)
    if as_json:
        click.echo(json.dumps({"bundle": bundle.reference, **detected.summary()}))
    elif ignored := {reason: count for reason, count in asdict(detected.ignored).items() if count}:
        told = ", ".join(f"{count} {reason}" for reason, count in ignored.items())
        click.echo(f"Readings that were not used: {told}, of {detected.readings}.", err=True)


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise ConfigError(f"option: expected NAME=VALUE, got {text!r}")
    return dict(text.split("=", 1) for text in texts)


def _moment(text: str | None, option: str, time_zone: str) -> int | None:
    """Return a time given on the command line in UTC epoch milliseconds."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--{option}: expected a time such as '2024-05-01T06:30', got {text!r}") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone(time_zone))).timestamp() * 1000)


def _tell(bundle: Bundle, *, as_json: bool) -> None:
    """Print what has been trained."""
    manifest, metrics = bundle.manifest, bundle.manifest.metrics
    error, last = metrics["held_out_error"], metrics["last_value_error"]
    limit = manifest.tail.limit(Budget.parse(manifest.budget).per_slot(manifest.interval_ms))
    if as_json:
        summary: dict[str, Any] = {"bundle": str(bundle.path), "data": manifest.data, "limit": limit, **metrics}
        click.echo(json.dumps(summary | {"beats_last_value": error < last}))
        return
    click.echo(f"bundle          {bundle.path}")
    click.echo(f"learnt from     {manifest.data['rows']} rows of {manifest.data['streams']} streams")
    click.echo(f"held-out error  {error:.4g} of a standard deviation; {last:.4g} if the last value is the forecast")
    click.echo(f"limit           {limit:.3g} times the mean error, for {manifest.budget}")
    if error >= last:
        click.echo("The network does not beat the last value: it has learnt nothing that helps.", err=True)
