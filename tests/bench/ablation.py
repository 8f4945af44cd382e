"""What each technique of the score adds: a board judged with all of them, and again without each.

The data is not in the repository: the folders are given, laid out as `foresense benchmark` takes them, NAB with its
labels. Each technique is taken out of both the calibration and the engine. NAB is told as its standard score at the
fixed limit and at the best one, SKAB (valve1) as F1 and false-alarm rate of its rows after the first 400. Beside that
stand two other measures of the error of all channels than the greatest: its Euclidean norm, and Mahalanobis' distance.

    python tests/bench/ablation.py nab|skab --data DIR [--family F] [--set NAME=VALUE] [--without TECHNIQUE]
        [--jobs N] [--json]
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edge import lift, surprise
from edge import score as edge_score
from edge.signals import CONTEXT, NOVELTY, SHAPE, SUSTAINED, Signals
from models.backtest.metrics.nab import STANDARD, Scored, nab_score, rows_of
from models.backtest.metrics.points import score_points
from models.benchmark import running
from models.benchmark.benchmark import Benchmark, Task, Told, run
from models.benchmark.boards import nab, skab
from models.benchmark.command import contender_of
from models.benchmark.workers import run_tasks
from models.cli import pairs
from models.training import fitting

FIXED = 0.5  #: the limit as an anomaly score


def _without(signal: int) -> Callable[[ExitStack], object]:
    """Have a signal say nothing."""
    read = Signals.read

    def silenced(self: Signals, *given: Any) -> NDArray[np.float32]:
        signals = read(self, *given)
        signals[:, signal] = 0
        return signals

    return lambda stack: stack.enter_context(patch.object(Signals, "read", silenced))


def _together(measure: Callable[..., NDArray[np.float32]]) -> Callable[[ExitStack], object]:
    """Have the error of a slot be a measure of all channels instead of the greatest of any."""
    read = Signals.read

    def combined(self: Signals, ratio: NDArray[np.float32], observed: NDArray[np.float32], *rest: Any) -> Any:
        return read(self, measure(ratio, observed, rest[-1])[:, None], observed, *rest)

    return lambda stack: stack.enter_context(patch.object(Signals, "read", combined))


def _length(ratio: NDArray[np.float32], *_: Any) -> NDArray[np.float32]:
    """Return the Euclidean norm (n,) of the errors (n, C)."""
    norm: NDArray[np.float32] = np.linalg.norm(ratio, axis=1)
    return norm


class _Mahalanobis:
    """The distance by the covariance of all errors so far, each held to HELD, shrunk towards its diagonal."""

    HELD, SHRUNK, LEAST = 3.0, 0.1, 1e-3

    def __init__(self) -> None:
        self._total: NDArray[np.float64] | None = None
        self._count = 0

    def __call__(self, ratio: NDArray[np.float32], observed: NDArray[np.float32], records: Any) -> NDArray[np.float32]:
        """Return the distance (n,) of the errors (n, C)."""
        signed = np.copysign(ratio, np.nan_to_num(observed - records["forecast"], nan=0.0)).astype(np.float64)
        held = signed.clip(-self.HELD, self.HELD)
        self._total = held.T @ held if self._total is None else self._total + held.T @ held
        self._count += len(held)
        covariance = self._total / self._count
        diagonal = np.diag(np.diag(covariance) + self.LEAST)
        shrunk = (1 - self.SHRUNK) * covariance + self.SHRUNK * diagonal
        squares = np.einsum("nc,cd,nd->n", signed, np.linalg.inv(shrunk), signed)
        distance: NDArray[np.float32] = np.sqrt(squares).astype(np.float32)
        return distance


def _still(stack: ExitStack) -> None:
    """Have nothing follow the stream but the limit."""
    stack.enter_context(patch.object(surprise.Followed, "learn", lambda *_: None))
    stack.enter_context(patch.object(edge_score, "learn", lambda *_: None))


def _always(stack: ExitStack) -> None:
    """Keep every network and linear part, however little better it is."""
    nothing = property(lambda _: 0.0, lambda *_: None)
    stack.enter_context(patch.object(fitting._Judge, "standard_error", nothing, create=True))


def _restless(stack: ExitStack) -> None:
    stack.enter_context(patch.object(nab, "REST", 0))
    stack.enter_context(patch.object(running, "POLICY", replace(running.POLICY, rest=0)))


TECHNIQUES: dict[str, Callable[[ExitStack], object]] = {
    "nothing": lambda _: None,
    "sustained error": _without(SUSTAINED),
    "novelty": _without(NOVELTY),
    "yesterday": _without(CONTEXT),
    "shape": _without(SHAPE),
    "least excess of a tail": lambda stack: stack.enter_context(patch.object(surprise, "STEEPEST", 0.0)),
    "rest after an event": _restless,
    "limit that follows": lambda stack: stack.enter_context(patch.object(lift, "STEP", 0.0)),
    "references that follow": _still,
    "standard error of a gain": _always,
    "the greatest, but L2 of channels": _together(_length),
    "the greatest, but Mahalanobis": lambda stack: _together(_Mahalanobis())(stack),
}


@dataclass(frozen=True, slots=True)
class Ablated:
    """A series that is to be judged without a technique."""

    without: str
    task: Task


def judge(ablated: Ablated) -> Told:
    """Judge a series, in a process of its own."""
    with ExitStack() as stack:
        TECHNIQUES[ablated.without](stack)
        return run(ablated.task)


def figures(board: str, data: Path, out: Path) -> dict[str, float]:
    """Return what the score files of a board are worth."""
    if board == "skab":
        told, labelled = zip(*_skab_rows(data, out), strict=True)
        alarm, event = np.concatenate(told), np.concatenate(labelled)
        return {"F1": score_points(alarm, event).f1, "false alarms, %": 100 * float(alarm[~event].mean())}
    streams = list(_nab_rows(data, out))
    return {"fixed": nab_score(streams, STANDARD, FIXED).score, "best": nab_score(streams, STANDARD).score}


def _nab_rows(data: Path, out: Path) -> Iterator[Scored]:
    windows = json.loads((data / "labels" / "combined_windows.json").read_text())
    for path in sorted(out.glob("*/*.csv")):
        table = pd.read_csv(path, parse_dates=["timestamp"])
        spans = [pd.to_datetime(each) for each in windows[f"{path.parent.name}/{path.name}"]]
        edges = [np.flatnonzero(table["timestamp"].between(*span)) for span in spans]
        rows = np.array([[each[0], each[-1] + 1] for each in edges], np.intp).reshape(-1, 2)
        yield rows_of(table["anomaly_score"].to_numpy(), rows)


def _skab_rows(data: Path, out: Path) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    for path in sorted(out.glob("*/*.csv")):
        labels = pd.read_csv(data / path.relative_to(out), sep=";")["anomaly"].to_numpy()
        yield pd.read_csv(path)["prediction"].to_numpy() > 0, labels[skab.TRAIN :] > 0


def main() -> None:
    """Print a line for each technique."""
    parser = argparse.ArgumentParser()
    parser.add_argument("board", choices=("nab", "skab"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--family", default="lstm")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--without", action="append", choices=TECHNIQUES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    contender = contender_of(given.family, pairs(tuple(given.settings)))
    pattern = "valve1/*" if given.board == "skab" else "*"
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for technique in given.without or TECHNIQUES:
            out = Path(folder) / technique
            chosen = Benchmark(given.board, given.data, out, contender, pattern).chosen
            for done in run_tasks(judge, [Ablated(technique, each) for each in chosen], given.jobs):
                if done.result is None or done.result.failure:
                    raise SystemExit(f"{done.task.task.series.name}: {done.result and done.result.failure}")
            found[technique] = figures(given.board, given.data, out)
            told = "  ".join(f"{name} {each:.4g}" for name, each in found[technique].items())
            print(f"without {technique:<26}{told}", flush=True, file=sys.stderr if given.json else sys.stdout)
    if given.json:
        print(json.dumps({"board": given.board, "without": found}))


if __name__ == "__main__":
    main()
