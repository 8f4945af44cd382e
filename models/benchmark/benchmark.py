"""A benchmark: all series of a board, in worker processes, each leaving a score file."""

from collections.abc import Generator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import StringIO
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pandas as pd

from edge.errors import DataError, ForesenseError
from models.benchmark.boards import open_board
from models.benchmark.done import finish, is_done, made_from, make_folder, told_of, write_whole
from models.benchmark.running import Contender, judge, parameters
from models.benchmark.series import Series
from models.benchmark.workers import run_tasks


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one series."""

    name: str
    note: str = ""  #: what did not go as asked
    failure: str = ""  #: why there is no score file
    train_s: float = 0.0
    replay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """One series that is to be judged, by whom, and where its scores go."""

    board: str
    series: Series
    contender: Contender
    path: Path
    origin: dict[str, Any]  #: what decides the scores


class Benchmark:
    """A contender on some or all series of a board."""

    def __init__(self, board: str, data: Path, out: Path, contender: Contender, pattern: str = "*") -> None:
        self._board, self._out = open_board(board), out
        contender.spec.sized(self._board.channels)
        shared = {"board": board} | parameters(contender)
        self._tasks = [
            Task(board, each, contender, out / f"{each.name}.csv", made_from(shared, each.paths))
            for each in self._board.series(data)
        ]
        pattern = pattern.removesuffix(".csv")
        self.chosen = [each for each in self._tasks if fnmatchcase(each.series.name, pattern)]
        if not self.chosen:
            names = f"{len(self._tasks)} series such as {self._tasks[0].series.name}"
            raise DataError(f"--files: expected a pattern that fits one of {names}, got {pattern!r}")
        make_folder(out)

    def run(self, jobs: int) -> Generator[Told, None, None]:
        """Yield what is told of each chosen series: first of those that are done already, then of each when it is."""
        done = self.done()
        yield from done
        names = {each.name for each in done}
        left = [each for each in self.chosen if each.series.name not in names]
        for finished in run_tasks(run, left, jobs):
            if finished.result is not None:
                yield finished.result
            else:
                failure = f"its process ended with exit code {finished.exitcode}"
                hint = "; perhaps memory ran out: try fewer --jobs" if finished.exitcode == -SIGKILL else ""
                yield Told(finished.task.series.name, failure=failure + hint)

    def done(self) -> list[Told]:
        """Return what is told of each chosen series that is done."""
        done = [each for each in self.chosen if is_done(each.path, each.origin)]
        return [Told(each.series.name, **told_of(each.path)) for each in done]

    def join(self) -> None:
        """Write the one file with the tables of all series that are done, if the board's scorer reads such a file."""
        if not self._board.joined:
            return
        tables = [pd.read_csv(each.path) for each in self._tasks if is_done(each.path, each.origin)]
        if tables:
            write_whole(self._out / self._board.joined, _csv(pd.concat(tables)))


def run(task: Task) -> Told:
    """Judge one series and write its score file, with its mark; what can't be read or written is told as a failure."""
    board, name = open_board(task.board), task.series.name
    try:
        rows = board.read(task.series)
        judged = judge(name, rows, task.contender)
        told: dict[str, Any] = {"note": judged.note, "train_s": judged.train_s, "replay_s": judged.replay_s}
        finish(task.path, _csv(board.table(task.series, rows, judged.outcome)), task.origin, told)
    except ForesenseError as error:
        return Told(name, failure=str(error))
    return Told(name, **told)


def _csv(table: pd.DataFrame) -> str:
    text = StringIO()
    table.to_csv(text, index=False, float_format="%.12g")
    return text.getvalue()
