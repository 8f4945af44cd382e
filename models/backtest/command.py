"""`foresense backtest`: recorded data through the very engine of the service, and how well it did."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.bundle import read_bundle
from edge.limits import Budget
from models.cli import alarm_option, bundle_option, columns_of, columns_option, own_budget_option, pairs
from models.data.options import DataOptions, data_options

if TYPE_CHECKING:
    from models.backtest.backtest import Backtest
    from models.backtest.outcome import Outcome
    from models.data.recordings import Data

_FILE = click.Path(path_type=Path)


@click.command()
@data_options
@bundle_option
@columns_option
@own_budget_option
@alarm_option
@click.option("--labels", type=_FILE, metavar="FILE", help="Windows in which something was wrong: CSV or NAB's JSON.")
@click.option("--judge-from", metavar="TIME", help="Judge from here on; baselines learn from what is before.")
@click.option("--baselines/--no-baselines", default=True, help="Whether to try forecasters that need no network too.")
@click.option("--report", type=_FILE, metavar="FILE", help="HTML report to write.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no progress.")
def backtest(
    data: DataOptions,
    path: Path,
    channels: tuple[str, ...],
    budget: str | None,
    alarm: tuple[str, ...],
    labels: Path | None,
    judge_from: str | None,
    baselines: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Replay DATA through the engine with a bundle, and show how well it did, beside baselines.

    DATA is a CSV or Parquet file, a folder of them, the database of a service, or the URL of an InfluxDB. Labels are a
    CSV file with the columns start, end and perhaps stream and label, or a JSON file like NAB's combined_windows.json.
    What the bundle has learnt from is not judged where DATA goes on after it, and baselines never see what is.
    """
    from models.quiet import quiet_tensorflow

    quiet_tensorflow()
    from models.backtest.backtest import run_backtest
    from models.backtest.labels import read_labels
    from models.data.opening import open_data, read_option
    from models.data.periods import parse_moment
    from models.policy import read_policy

    policy = read_policy(pairs(alarm))
    bundle = read_bundle(path)
    columns, time_zone = columns_of(bundle, channels), bundle.manifest.time_zone
    windows = None if labels is None else read_labels(labels, time_zone)

    def opened(end_ms: int | None) -> "Data":
        whole = open_data(data, columns, time_zone)
        ends = [each for each in (whole.selection.end_ms, end_ms) if each is not None]
        return replace(whole, selection=replace(whole.selection, end_ms=min(ends, default=None)))

    found = run_backtest(
        bundle,
        opened,
        Budget.parse(budget) if budget else None,
        policy,
        windows,
        judge_from_ms=read_option("--judge-from", parse_moment, judge_from, time_zone) if judge_from else None,
        baselines=baselines,
        on_outcome=(lambda _: None) if as_json else _progress,
    )
    if report is not None:
        from models.backtest.report import write_report

        write_report(report, found, windows or ())
    _tell(found, report, as_json=as_json)


def _progress(outcome: "Outcome") -> None:
    """Tell on stderr that a detector is done."""
    click.echo(f"{outcome.name}: {outcome.failure or f'{outcome.alarms} alarms'}", err=True)


def _tell(found: "Backtest", report: Path | None, *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from models.backtest.summary import heading, notes, rows

    if as_json:
        stretch = found.conditions.stretch
        facts = {
            "bundle": found.bundle.reference,
            "from_ms": stretch.start_ms,
            "to_ms": stretch.end_ms,
            "judged": stretch.reason or "as told",
            "budget_per_week": found.budget_per_week,
            "windows_without_data": found.judged.unseen,
            "report": str(report) if report else None,
        }
        click.echo(json.dumps(facts | {"detectors": [each.to_json() for each in found.outcomes]}))
        return
    click.echo(heading(found))
    table = Table("")
    for each in found.outcomes:
        if not each.failure:
            table.add_column(each.name, justify="right")
    for name, cells in rows(found):
        table.add_row(name, *cells)
    Console().print(table)
    for note in notes(found):
        click.echo(note, err=True)
    if report is not None:
        click.echo(f"report  {report}")
