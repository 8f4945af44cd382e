"""`foresense benchmark`: the score files that the public boards' own scorers read."""

import json
import os
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from edge.errors import ConfigError
from models.bar import Bar
from models.benchmark.boards import BOARDS
from models.cli import pairs, settings_option
from models.families import FAMILIES

if TYPE_CHECKING:
    from models.benchmark.benchmark import Told
    from models.benchmark.running import Contender

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("board", type=click.Choice(BOARDS))
@click.option("--data", type=_FOLDER, required=True, metavar="DIR", help="Laid out as the board's repository is.")
@click.option("--out", type=_FOLDER, required=True, metavar="SCORES", help="Folder for the score files.")
@click.option("--family", default="lstm", show_default=True, help=f"{', '.join(FAMILIES)}, or windowed_gaussian.")
@settings_option
@click.option("--files", default="*", metavar="GLOB", help="Series to judge, such as 'valve1/*'.  [default: all]")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes.  [default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no progress.")
def benchmark(
    board: str,
    data: Path,
    out: Path,
    family: str,
    settings: tuple[str, ...],
    files: str,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Judge a public board's data and write the scores that its scorer reads.

    BOARD is nab, skab, smap or ucr. In each series a forecaster learns from the first rows, as the board's rules say,
    and the engine judges all rows in order. Labels are not read. The same command goes on where it was interrupted.
    """
    from models.benchmark.benchmark import Benchmark

    contender = contender_of(family, pairs(settings))
    run = Benchmark(board, data, out, contender, files)
    failed: list[Told] = []
    bar = Bar(board, BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"),
              shown=not as_json, total=len(run.chosen), told="")  # fmt: skip
    try:
        with bar, closing(run.run(jobs or len(os.sched_getaffinity(0)))) as finished:
            for each in finished:
                bar.show(advance=1, told=each.name)
                failed += [each] if each.failure else []
                if problem := each.failure or each.note:
                    click.echo(f"{each.name}: {problem}", err=True)
    except KeyboardInterrupt:
        click.echo("interrupted; what is done is kept, and the same command goes on", err=True)
    run.join()
    done, series = run.done(), len(run.chosen)
    if as_json:
        counts = {"series": series, "done": len(done), "failed": len(failed)}
        each_told = [asdict(each) for each in (*done, *failed)]
        click.echo(json.dumps({"board": board, "family": family, "out": str(out), **counts, "each": each_told}))
    else:
        click.echo(f"{len(done)} of {series} series of {board} judged by {family}: {out}")
    if len(done) < series:
        sys.exit(1)


def contender_of(family: str, given: dict[str, str]) -> "Contender":
    """Return what is to be measured; ConfigError for a setting that it does not have."""
    from models.benchmark.floors import FLOORS
    from models.benchmark.running import LOOKBACK, Contender
    from models.spec import read_settings

    if family in FLOORS:
        if given:
            raise ConfigError(f"--set: expected no settings of {family}, got {', '.join(given)}")
        return Contender(family)
    defaults = {"lookback": str(LOOKBACK)} if family in FAMILIES and "lookback" in FAMILIES[family].fields else {}
    return Contender(family, *read_settings({**defaults, **given, "family": family}))
