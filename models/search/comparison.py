"""Comparison: families side by side, trained on the same data with the same split and budget.

A network has to earn its place: it is recommended only where it forecasts better than the linear model.
"""

import logging
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from edge.bundle import STEP_ONNX, Bundle
from edge.errors import ForesenseError
from edge.manifest import Manifest
from edge.runtimes import Runtime, open_runtime
from models.families import FAMILIES
from models.merit import left_out
from models.search.evidence import gather
from models.search.space import settings_for
from models.search.task import Task
from models.spec import ForecasterSpec, TrainingSpec, read_settings
from models.training.fitting import Epoch

LINEAR, LAST_VALUE = "ar", "last"
BASELINES = tuple(name for name, family in FAMILIES.items() if family.kind == "baseline")
CALLED = {LINEAR: "linear", LAST_VALUE: "last-value"}
MARGIN = 0.01  #: share of the error; a smaller gain is none
ROWS = 1024  #: of the block whose steps are timed
TIMED_S = 0.05

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one bundle is worth and what it costs."""

    error: float  #: mean absolute error on what was held out, scaled
    streams: int  #: it was trained on; streams too short for it are left out
    step_bytes: int  #: size of step.onnx
    alone_us: float  #: microseconds a step of one stream
    row_us: float  #: microseconds a stream in a step of ROWS streams
    memory: int  #: numbers of forecaster memory a stream
    train_s: float
    alarms_per_week: float  #: a stream, on what was held out


@dataclass(frozen=True, slots=True)
class Row:
    """A family in the table: what was measured, or why nothing could be."""

    family: str
    measured: Measured | None = None
    failure: str = ""
    bundle: Bundle | None = None  #: its folder may be gone
    history: tuple[Epoch, ...] = ()

    @property
    def note(self) -> str:
        """Say that its network is left out, if it is."""
        return left_out(self.bundle.manifest) if self.bundle else ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The families that were tried, and what to make of them."""

    rows: tuple[Row, ...]
    budget_per_week: float  #: alarms a stream that are accepted

    @property
    def errors(self) -> dict[str, float]:
        """Return the held-out error of each family that has one."""
        return {row.family: row.measured.error for row in self.rows if row.measured is not None}

    @property
    def ranked(self) -> list[Row]:
        """Return the rows in order of their error, the failed ones last."""
        return sorted(self.rows, key=lambda row: row.measured.error if row.measured else float("inf"))

    def gain(self, family: str, over: str = LINEAR) -> float:
        """Return what share of another's error a family saves; NaN where one of them has none."""
        errors = self.errors
        if not errors.get(over) or family not in errors:
            return float("nan")
        return 1 - errors[family] / errors[over]

    @property
    def recommended(self) -> str:
        """Return the family to use: the best network if it gains more than MARGIN over the best baseline.

        Of two baselines within MARGIN of each other the linear one is taken. Empty if every family failed.
        """
        errors = self.errors
        simple = _best({name: error for name, error in errors.items() if name in BASELINES})
        if LINEAR in errors and self.gain(simple) < MARGIN:
            simple = LINEAR
        network = _best({name: error for name, error in errors.items() if name not in BASELINES})
        if not simple or not network:
            return simple or network
        return network if self.gain(network, simple) >= MARGIN else simple

    @property
    def sentence(self) -> str:
        """Say what to use, and what it gains."""
        chosen, errors = self.recommended, self.errors
        if not chosen:
            return "No family could be trained."
        if chosen not in BASELINES:
            told = [
                f"{percent(self.gain(chosen, each))} than the {called} forecast's"
                for each, called in CALLED.items()
                if each in errors
            ]
            return f"Use {chosen}: its error is {' and '.join(told) or f'{errors[chosen]:.4g} deviations'}."
        network = _best({name: error for name, error in errors.items() if name not in BASELINES})
        if not network:
            return f"Use {chosen}: no network was compared with it."
        return (
            f"Use {chosen}, which needs no network: the error of the best one, {network}, is "
            f"{percent(self.gain(network, chosen))}, and a gain below {MARGIN:.0%} counts as none."
        )

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as a JSON-ready object."""
        return {
            "recommended": self.recommended or None,
            "sentence": self.sentence,
            "margin": MARGIN,
            "budget_per_week": self.budget_per_week,
            "families": [
                {"family": row.family, "failure": row.failure or None, "note": row.note or None}
                | (asdict(row.measured) if row.measured else {})
                | {"gain_over_linear": or_none(self.gain(row.family))}
                for row in self.rows
            ],
        }


def compare(
    task: Task, families: Iterable[str], settings: Mapping[str, str], on_row: Callable[[Row], None] | None = None
) -> Comparison:
    """Train each family with those of the settings, as text, that it has; one that fails says why in its row.

    The bundles are made in a temporary folder, which is gone at the end.
    """
    rows = []
    for family in families:
        rows.append(_try(task, family, settings))
        if on_row is not None:
            on_row(rows[-1])
    return Comparison(tuple(rows), task.budget_per_week)


def train_row(
    task: Task, spec: ForecasterSpec, training: TrainingSpec, out: Path, *, progress: bool = False
) -> tuple[Bundle, Row]:
    """Train a bundle, which lies in OUT/NAME/VERSION, and return it with its row."""
    history: list[Epoch] = []
    began = perf_counter()
    bundle = task.train(spec, training, out, progress=progress, on_epoch=history.append)
    measured = _measure(bundle, task, perf_counter() - began)
    return bundle, Row(spec.family, measured, "", bundle, tuple(history))


def percent(gain: float) -> str:
    """Return a gain in words."""
    if not np.isfinite(gain):
        return "unknown"
    if gain <= -1:
        return f"{1 - gain:.1f} times as high"
    return "the same" if abs(gain) < 0.0005 else f"{abs(gain):.1%} {'lower' if gain > 0 else 'higher'}"


def _try(task: Task, family: str, settings: Mapping[str, str]) -> Row:
    try:
        with tempfile.TemporaryDirectory(prefix="foresense-") as folder:
            return train_row(task, *read_settings(settings_for(family, settings)), Path(folder))[1]
    except ForesenseError as error:
        return Row(family, failure=str(error))
    except Exception as error:  # noqa: BLE001 a family's own mistake, which the others do not share
        _log.exception("%s failed", family)
        return Row(family, failure=f"{type(error).__name__}: {error}")


def _measure(bundle: Bundle, task: Task, train_s: float) -> Measured:
    manifest, runtime = bundle.manifest, open_runtime(bundle.files)
    return Measured(
        error=manifest.metrics["held_out_error"],
        streams=len(manifest.scaling.streams),
        step_bytes=len(bundle.files[STEP_ONNX]),
        alone_us=_step_us(runtime, manifest, 1),
        row_us=_step_us(runtime, manifest, ROWS) / ROWS,
        memory=manifest.memory,
        train_s=train_s,
        alarms_per_week=gather(bundle, task.recordings).alarms_per_week,
    )


def _step_us(runtime: Runtime, manifest: Manifest, rows: int) -> float:
    """Return the median duration of a step, microseconds."""
    x, memory = np.zeros((rows, manifest.inputs), np.float32), np.zeros((rows, manifest.memory), np.float32)
    runtime.step(x, memory)
    durations: list[float] = []
    end = perf_counter() + TIMED_S
    while not durations or perf_counter() < end:
        began = perf_counter()
        runtime.step(x, memory)
        durations.append(perf_counter() - began)
    return float(np.median(durations)) * 1e6


def _best(errors: dict[str, float]) -> str:
    return min(errors, key=lambda name: errors[name], default="")


def or_none(number: float) -> float | None:
    """Return a number as JSON has it: None if it is not known."""
    return float(number) if np.isfinite(number) else None
