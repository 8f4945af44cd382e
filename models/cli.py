"""Commands for recorded data: train a forecaster on it, detect anomalies in it."""

import json
import math
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.bundle import Bundle, read_bundle
from edge.errors import ConfigError
from edge.limits import Budget
from models.data.options import DataOptions, RecordingOptions, data_options, recording_options
from models.families import FAMILIES
from models.merit import left_out
from models.tflite.account import told_of

if TYPE_CHECKING:
    from models.search.task import Task

settings_option = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any hyperparameter, such as units=64."
)
budget_option = click.option(
    "--budget", default="1 per month", show_default=True, help="False alarms a stream that are accepted."
)

alarm_option = click.option(
    "--alarm", "alarm", multiple=True, metavar="NAME=VALUE", help="Of the alarm policy, as in the service, such as k=2."
)
bundle_option = click.option(
    "--bundle", "path", required=True, type=click.Path(path_type=Path), help="Such as bundles/pump/3."
)
columns_option = click.option(
    "--channel", "channels", multiple=True, metavar="NAME=COL", help="Column of a channel, if not its name."
)
own_budget_option = click.option("--budget", help="False alarms a stream that are accepted.  [default: the bundle's]")


@click.command()
@recording_options
@click.option("--family", help=f"Kind of network: {', '.join(FAMILIES)}.  [default: lstm]")
@settings_option
@budget_option
@click.option("--name", help="Of the bundle.  [default: the name of the file, folder or measurement]")
@click.option("--out", type=click.Path(path_type=Path), default="bundles", show_default=True, help="Where bundles lie.")
@click.option("--int8", is_flag=True, help="Try a step in whole numbers as well; it takes some ten seconds longer.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="HTML report to write.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no progress.")
@click.pass_context
def train(
    context: click.Context,
    recorded: RecordingOptions,
    family: str | None,
    settings: tuple[str, ...],
    budget: str,
    name: str | None,
    out: Path,
    int8: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Train a forecaster on DATA and seal it as a bundle.

    DATA is a CSV or Parquet file, a folder of them, the database of a service, or the URL of an InfluxDB.
    """
    from models.spec import read_settings

    given = pairs(settings)
    spec, training = read_settings(given | ({"family": family} if family else {}))
    task = replace(read_task(recorded, name, budget, as_json=as_json), int8=int8)
    if report is None:
        bundle = task.train(spec, training, out, progress=not as_json)
    else:
        from models.report.training import train_and_report
        from models.search.reproduction import train_command

        command = train_command(context, task, spec, training)
        bundle, _ = train_and_report(
            task, spec, training, out, report, settings=given, command=command, progress=not as_json
        )
    _tell(bundle, as_json=as_json)


@click.command()
@data_options
@bundle_option
@columns_option
@own_budget_option
@alarm_option
@click.option("--out", type=click.Path(path_type=Path), help="CSV file to write.  [default: standard output]")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object, and no CSV without --out.")
def detect(
    data: DataOptions,
    path: Path,
    channels: tuple[str, ...],
    budget: str | None,
    alarm: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Detect anomalies in DATA: one row for each slot and channel.

    DATA is a CSV or Parquet file, a folder of them, the database of a service, or the URL of an InfluxDB.
    """
    from models.data.opening import open_data
    from models.detection import run_engine, write_csv
    from models.policy import read_policy

    policy = read_policy(pairs(alarm))
    bundle = read_bundle(path)
    columns = columns_of(bundle, channels)
    opened = open_data(data, columns, bundle.manifest.time_zone)
    detected = run_engine(bundle, opened.blocks(), Budget.parse(budget) if budget else None, policy)
    if out is not None:
        with out.open("w", encoding="utf-8", newline="") as file:
            write_csv(detected, file)
    elif not as_json:
        write_csv(detected, sys.stdout)
    if as_json:
        click.echo(json.dumps({"bundle": bundle.reference, "read": opened.counts.of_selection(), **detected.summary()}))
    elif unused := opened.counts.unused() | {k: v for k, v in asdict(detected.ignored).items() if v}:
        told = ", ".join(f"{count} {reason}" for reason, count in unused.items())
        click.echo(f"Readings that were not used: {told}, of {opened.counts.readings}.", err=True)


def columns_of(bundle: Bundle, channels: tuple[str, ...]) -> list[str]:
    """Return what the bundle's channels are called in the data, in the bundle's order."""
    columns = {each.name: each.name for each in bundle.manifest.channels}
    for name, column in pairs(channels).items():
        if name not in columns:
            raise ConfigError(f"--channel: expected one of the bundle's {', '.join(columns)}, got {name!r}")
        columns[name] = column
    return list(columns.values())


def read_task(recorded: RecordingOptions, name: str | None, budget: str, *, as_json: bool) -> "Task":
    """Read what is to be learnt from and say what is in it; from here on TensorFlow may be imported."""
    from models.quiet import quiet_tensorflow

    quiet_tensorflow()
    from models.search.task import Task

    Budget.parse(budget).per_slot(1)
    read = recorded.read()
    if not as_json:
        for line in read.account.lines():
            click.echo(line, err=True)
    recordings = tuple(read.recordings)
    return Task(name or recorded.data.name, recordings, read.channels, read.time_zone, budget, read.account)


def pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """Return options of the form NAME=VALUE by name; ConfigError for one that is not."""
    for text in texts:
        if "=" not in text:
            raise ConfigError(f"option: expected NAME=VALUE, got {text!r}")
    return dict(text.split("=", 1) for text in texts)


def _tell(bundle: Bundle, *, as_json: bool) -> None:
    """Print what has been trained."""
    manifest, metrics = bundle.manifest, bundle.manifest.metrics
    error, last = metrics["held_out_error"], metrics["last_value_error"]
    limit = manifest.tail.limit(Budget.parse(manifest.budget).per_slot(manifest.interval_ms))
    beats = error < last and not math.isclose(error, last, rel_tol=1e-6)  # the two are summed in different ways
    if as_json:
        summary: dict[str, Any] = {"bundle": str(bundle.path), "data": manifest.data, "limit": limit, **metrics}
        summary |= {"beats_last_value": beats, "left_out": bool(metrics["left_out"]), "exports": manifest.exports}
        click.echo(json.dumps(summary))
        return
    click.echo(f"bundle          {bundle.path}")
    click.echo(f"learnt from     {manifest.data['rows']} rows of {manifest.data['streams']} streams")
    click.echo(f"held-out error  {error:.4g} of a standard deviation; {last:.4g} if the last value is the forecast")
    click.echo(f"limit           {limit:.3g} decades of surprise, for {manifest.budget}")
    for name, text in told_of(manifest):
        click.echo(f"{name}: {text}")
    if told := left_out(manifest):
        click.echo(told, err=True)
    elif not beats:
        click.echo("The forecast does not beat the last value: nothing has been learnt that helps.", err=True)
