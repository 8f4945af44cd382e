"""Commands that look for the best forecaster: compare families, tune hyperparameters."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from edge.errors import ConfigError
from models.cli import budget_option, pairs, read_task, settings_option
from models.data.options import Command, RecordingOptions, recording_options
from models.families import FAMILIES

if TYPE_CHECKING:
    from models.search.comparison import Comparison, Row
    from models.search.task import Task
    from models.search.tuning import Found

_NETWORKS = tuple(name for name, family in FAMILIES.items() if family.kind == "network")
_WIDTH = 126  # columns that the table needs
_FILE = click.Path(path_type=Path)


def _families(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001
    for each in given:
        if each not in FAMILIES:
            raise ConfigError(f"--family: expected one of {', '.join(FAMILIES)}, got {each!r}")
    return tuple(dict.fromkeys(given))


def _family_option(purpose: str, default: str) -> Callable[[Command], Command]:
    help_text = f"{purpose}; may be given again.  [default: {default}]"
    return click.option("--family", "families", multiple=True, callback=_families, help=help_text)


@click.command()
@recording_options
@_family_option("One to compare", "all")
@settings_option
@budget_option
@click.option("--name", help="Of the report.  [default: the name of the file, folder or measurement]")
@click.option("--report", type=_FILE, metavar="FILE", help="HTML report to write.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def compare(
    context: click.Context,
    recorded: RecordingOptions,
    families: tuple[str, ...],
    settings: tuple[str, ...],
    budget: str,
    name: str | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Train every family on DATA and show what each is worth beside a linear forecast, and what it costs.

    All learn from the same part of the data and are judged by the same rest of it. A setting is given to the
    families that have it. Ctrl-C ends the comparison with the families that are done.
    """
    given, chosen = pairs(settings), families or tuple(FAMILIES)
    _check_settings(chosen, given)
    task = read_task(recorded, name, budget, as_json=as_json)
    from models.bundling import check_given
    from models.search.comparison import compare as compare_families

    check_given(task.recordings, task.name)
    compared = compare_families(task, _until_interrupted(chosen), given, None if as_json else _told)
    if report is not None:
        _report(context, report, task, compared, given)
    if as_json:
        click.echo(json.dumps(compared.to_json()))
    else:
        _tell(compared)
    if not compared.recommended:
        sys.exit(1)


@click.command()
@recording_options
@_family_option("One to try", "networks")
@settings_option
@budget_option
@click.option("--name", help="Of the bundle.  [default: the name of the file, folder or measurement]")
@click.option("--out", type=_FILE, default="bundles", show_default=True, help="Where bundles lie.")
@click.option("--time-budget", metavar="DURATION", help="Of the search, such as 10min.  [default: 10min, or none]")
@click.option("--trials", type=click.IntRange(1), help="How many in all, those of earlier runs included.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes.  [default: one a core]")
@click.option("--study", type=_FILE, metavar="FILE", help="SQLite file to go on with.  [default: OUT/NAME.study]")
@click.option("--report", type=_FILE, metavar="FILE", help="HTML report to write.  [default: OUT/NAME.html]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no progress.")
@click.pass_context
def tune(
    context: click.Context,
    recorded: RecordingOptions,
    families: tuple[str, ...],
    settings: tuple[str, ...],
    budget: str,
    name: str | None,
    out: Path,
    time_budget: str | None,
    trials: int | None,
    jobs: int | None,
    study: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Search for the family and the hyperparameters that forecast DATA best, and seal the best as a bundle.

    What --set gives is not searched. The same command goes on with a search that was interrupted, by Ctrl-C or
    otherwise; the search itself never sees what the bundle's error is measured on.
    """
    given, chosen = pairs(settings), families or _NETWORKS
    _check_settings(chosen, given)
    seconds = _seconds(time_budget) if time_budget or not trials else None
    task = read_task(recorded, name, budget, as_json=as_json)
    from models.bundling import check_given
    from models.report.training import train_and_report
    from models.search.reproduction import train_command
    from models.search.search_progress import SearchProgress
    from models.search.tuning import Search, run_search

    check_given(task.recordings, task.name)
    jobs = jobs or len(os.sched_getaffinity(0))
    search = Search(task, study or out / f"{task.name}.study", chosen, given, trials, seconds, jobs)
    with SearchProgress(trials, seconds, shown=not as_json) as progress:
        found = run_search(search, progress.update)
    command = train_command(context, task, found.spec, found.training)
    report = report or out / f"{task.name}.html"
    bundle, compared = train_and_report(
        task, found.spec, found.training, out, report,
        settings=given, command=command, trials=found.trials, progress=not as_json,
    )  # fmt: skip
    if as_json:
        told = {"bundle": str(bundle.path), "report": str(report), "command": command, "search_error": found.error}
        click.echo(json.dumps(told | {"trials": _counts(found)} | compared.to_json()))
        return
    _tell(compared)
    click.echo(f"bundle  {bundle.path}\nreport  {report}\nagain   {command}")


def _counts(found: "Found") -> dict[str, int]:
    states = [each.state for each in found.trials]
    return {state: states.count(state) for state in ("complete", "pruned", "failed")}


def _seconds(text: str | None) -> float:
    from edge.duration import parse_duration

    try:
        return parse_duration(text or "10min") / 1000
    except ConfigError as error:
        raise ConfigError(f"--time-budget: expected a duration such as '90s', '10min' or '2h', got {text!r}") from error


def _check_settings(families: Sequence[str], given: dict[str, str]) -> None:
    """Raise ConfigError if no family takes the settings."""
    from models.search.space import settings_for
    from models.spec import read_settings

    refused = []
    for each in families:
        try:
            read_settings(settings_for(each, given))
        except ConfigError as error:
            refused.append(error)
    if len(refused) == len(families):
        raise refused[0]


def _until_interrupted(families: Sequence[str]) -> Iterator[str]:
    """Yield families until Ctrl-C; the training it interrupts keeps its best, and no other is begun."""
    came = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.default_int_handler(number, frame)

    usual = signal.signal(signal.SIGINT, interrupt)
    try:
        for each in families:
            if came:
                return
            yield each
    finally:
        signal.signal(signal.SIGINT, usual)


def _told(row: "Row") -> None:
    """Tell on stderr that a family is done."""
    result = f"error {row.measured.error:.4f} after {row.measured.train_s:.0f} s" if row.measured else row.failure
    click.echo(f"{row.family}: {result}", err=True)


def _report(context: click.Context, path: Path, task: "Task", compared: "Comparison", given: dict[str, str]) -> None:
    """Write the report of a comparison, which looks closely at the family that is recommended."""
    from models.report.page import Page, write_report
    from models.search.reproduction import train_command
    from models.search.space import settings_for
    from models.spec import read_settings

    page = Page("Comparison", task, compared)
    if chosen := compared.recommended:
        row = next(each for each in compared.rows if each.family == chosen)
        spec, training = read_settings(settings_for(chosen, given))
        page = replace(page, row=row, spec=spec, command=train_command(context, task, spec, training))
    write_report(path, page)


def _tell(compared: "Comparison") -> None:
    """Print the table, and what to make of it."""
    from rich.console import Console

    from models.search.comparison_table import table

    console = Console()
    Console(width=max(console.width, _WIDTH)).print(table(compared))
    click.echo(compared.sentence)
