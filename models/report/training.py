"""Training with a report: the forecaster, what it is beside the ones that need no network, and the page of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.bundle import Bundle
from models.report.page import Page, write_report
from models.search.comparison import BASELINES, Comparison, compare, train_row
from models.search.task import Task
from models.spec import ForecasterSpec, TrainingSpec

if TYPE_CHECKING:
    from models.search.tuning import Trial


def train_and_report(
    task: Task,
    spec: ForecasterSpec,
    training: TrainingSpec,
    out: Path,
    report: Path,
    *,
    settings: Mapping[str, str],
    command: str,
    trials: "Sequence[Trial]" = (),
    progress: bool = False,
) -> tuple[Bundle, Comparison]:
    """Train a bundle as OUT/NAME/VERSION, and with the same settings the baselines; write the report of it.

    `command` trains it again; `trials` are those of the search that led to the specs.
    """
    bundle, row = train_row(task, spec, training, out, progress=progress)
    beside = compare(replace(task, int8=False), [each for each in BASELINES if each != spec.family], settings)
    comparison = Comparison((row, *beside.rows), task.budget_per_week)
    kind = "Search" if trials else "Training"
    write_report(report, Page(kind, task, comparison, row, spec, command, trials))
    return bundle, comparison
