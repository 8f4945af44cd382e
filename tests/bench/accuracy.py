"""Whether the default networks forecast better than a linear model, on public benchmarks.

The data is not in the repository: the folders are given, laid out as `foresense benchmark` takes them.

- NAB: each file whole.
- SKAB: rows 0-399 of each file, in which nothing happens.

Each file is a stream of its own. The error is the mean absolute one on its last quarter, in deviations of the
part learnt from; the networks are at their defaults. A linear model of many past values is hampered on a short
file, so there are two, and a network has to beat the better one of them on each file.

    python tests/bench/accuracy.py [--nab DIR] [--skab DIR] [--json]
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from models.quiet import quiet_tensorflow

quiet_tensorflow()

from models.benchmark.board import Board  # noqa: E402
from models.benchmark.boards import open_board  # noqa: E402
from models.data.recordings import Recording  # noqa: E402
from models.search.comparison import MARGIN  # noqa: E402 TensorFlow is to be quiet before it is imported
from models.spec import ForecasterSpec, TrainingSpec  # noqa: E402
from models.training.fitting import fit  # noqa: E402
from models.training.preparation import prepare  # noqa: E402

LINEAR = ("ar", "ar of 3")
SPECS = {
    "last": ForecasterSpec("last"),
    "ar": ForecasterSpec("ar"),
    "ar of 3": ForecasterSpec("ar", lookback=3),
    "lstm": ForecasterSpec("lstm"),
    "gru": ForecasterSpec("gru"),
}
TINY = 1e-6  # deviations; a file that is foreseen this well is no different from one foreseen better


@dataclass(frozen=True)
class File:
    """A file and the held-out error of each forecaster on it."""

    board: str
    name: str
    errors: Mapping[str, float]


def recordings(board: Board, folder: Path) -> Iterator[Recording]:
    """Yield a recording of each series of a board: of NAB all rows, of SKAB the ordinary ones."""
    for series in board.series(folder):
        rows = board.read(series)
        whole = rows.recording(series.name)
        yield whole if board.name == "nab" else whole.part(slice(0, rows.train))


def errors(recording: Recording) -> dict[str, float]:
    """Return each forecaster's held-out error, in deviations."""
    found, training = {}, TrainingSpec()
    for name, spec in SPECS.items():
        prepared = prepare([recording], spec, training)
        found[name] = fit(prepared.learnt, prepared.held_out, spec, training).error
    return found


def summary(files: Sequence[File]) -> dict[str, float]:
    """Return each forecaster's median error, its mean ratio to the linear one, and in which share of files it wins."""
    linear = np.array([min(each.errors[name] for name in LINEAR) for each in files])
    found = {"files": float(len(files))}
    for name in SPECS:
        error = np.array([each.errors[name] for each in files])
        found[f"{name} median"] = float(np.median(error))
        found[f"{name} to linear"] = float(np.exp(np.mean(np.log((error + TINY) / (linear + TINY)))))
        found[f"{name} wins"] = float(np.mean(error < (1 - MARGIN) * linear))
    return found


def main() -> None:
    """Print a row for each file and a summary of each board, or all of it as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--nab", type=Path)
    parser.add_argument("--skab", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    folders = {"nab": given.nab, "skab": given.skab}
    files: dict[str, list[File]] = {}
    for board, folder in folders.items():
        for recording in recordings(open_board(board), folder) if folder else ():
            files.setdefault(board, []).append(File(board, recording.name, errors(recording)))
            print(f"{board} {recording.name}", file=sys.stderr)
    if not files:
        parser.error("expected files in the folder of --nab or --skab, got none")
    boards = {board: summary(each) for board, each in files.items()}
    if given.json:
        rows = [{"board": each.board, "file": each.name, **each.errors} for of in files.values() for each in of]
        print(json.dumps({"boards": boards, "files": rows}))
        return
    Console().print(_table(files, boards))


def _table(files: Mapping[str, Sequence[File]], boards: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table("file", *SPECS)
    for board, of in files.items():
        for each in of:
            table.add_row(f"{board} {each.name}", *(f"{each.errors[name]:.4f}" for name in SPECS))
        told = boards[board]
        table.add_row("median", *(f"{told[f'{name} median']:.4f}" for name in SPECS))
        table.add_row("error to the linear one's", *(f"{told[f'{name} to linear']:.3f}" for name in SPECS))
        table.add_row("better than it", *(f"{told[f'{name} wins']:.0%}" for name in SPECS), end_section=True)
    return table


if __name__ == "__main__":
    main()
