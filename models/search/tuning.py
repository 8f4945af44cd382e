"""Tuning: a search for the family and the hyperparameters that forecast best.

Optuna's tree-structured Parzen estimator proposes, after the defaults of every family (Bergstra et al. 2011),
and worker processes train. All of it lies in a study, a SQLite file, so that a search goes on where it was
interrupted.

The search sees only what the final forecaster learns from, and holds out the end of that: the error of the
final forecaster is measured on what no trial has seen.
"""

import fcntl
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import sleep, time
from typing import Any

import optuna
import sqlalchemy
from optuna.trial import FrozenTrial, TrialState

from edge.errors import ConfigError, DataError
from models.data.recordings import Recording, fingerprint
from models.search.space import FAMILY, defaults, settings_for, text_of
from models.search.task import Task
from models.spec import ForecasterSpec, TrainingSpec, read_settings
from models.training.sequences import split

STUDY = "foresense"
FAILURE = "failure"  #: the attribute of a trial that says why it failed
POLL_S = 0.2
BUSY_S = 60.0  #: how long a process waits for another that writes to the study
EPOCHS_BEFORE = 4  #: a trial is not given up in its first epochs
_STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched through, and for how long; without an end given in trials or seconds it has none."""

    task: Task
    study: Path  #: SQLite file; it goes on if it is there
    families: tuple[str, ...]
    fixed: Mapping[str, str] = field(default_factory=dict)  #: settings that are not searched, as text
    trials: int | None = None  #: in all, those of earlier runs included
    seconds: float | None = None
    jobs: int = 1  #: worker processes; with one, the same search gives the same trials

    def specs(self, family: str, tried: Mapping[str, Any]) -> tuple[ForecasterSpec, TrainingSpec]:
        """Return the specs of a family with the fixed settings and those that are tried."""
        texts = {name: text_of(value) for name, value in tried.items() if value is not None}
        return read_settings(settings_for(family, self.fixed) | texts)

    def open(self, seed: int) -> optuna.Study:
        """Open the study, which is made if it is not there; ConfigError if the file is something else."""
        url = sqlalchemy.URL.create("sqlite", database=str(self.study.absolute()))
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            storage = optuna.storages.RDBStorage(
                url.render_as_string(), engine_kwargs={"connect_args": {"timeout": BUSY_S}}
            )
            return optuna.create_study(
                storage=storage,
                sampler=optuna.samplers.TPESampler(seed=seed),
                pruner=optuna.pruners.MedianPruner(n_warmup_steps=EPOCHS_BEFORE),
                study_name=STUDY,
                load_if_exists=True,
            )
        except (sqlalchemy.exc.DatabaseError, RuntimeError) as error:
            raise ConfigError(f"{self.study}: expected a study of `foresense tune`, got: {error}") from error


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of a search."""

    number: int  #: from 0
    error: float  #: mean absolute error on what the search held out, scaled; NaN where there is none
    state: str  #: complete, pruned, failed or running
    settings: Mapping[str, Any]  #: that were tried, the family among them
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has come to so far."""

    spec: ForecasterSpec
    training: TrainingSpec
    error: float  #: on what the search held out, scaled
    trials: tuple[Trial, ...]


def run_search(search: Search, on_poll: Callable[[Sequence[Trial]], None] | None = None) -> Found:
    """Search until the trials or the seconds are used up or Ctrl-C, and return the best; DataError if there is none.

    `on_poll` is told of all trials, several times a second.
    """
    for family in search.families:
        search.specs(family, {})
    with _alone(search.study):
        study = _begin(search)
        try:
            _run(search, study, on_poll)
        except KeyboardInterrupt:
            _log.warning("interrupted; the best so far is taken, and the same command goes on")
        finally:
            _give_up_running(study)
        return _best(search, study)


def searched(recordings: Sequence[Recording], training: TrainingSpec) -> tuple[Recording, ...]:
    """Return what a search may see: of each stream the part that is not held out at last; DataError if none is long."""
    parts, refused = [], []
    for each in recordings:
        try:
            held_from = split(each, ForecasterSpec("last"), training).held_from
            parts.append(each.part(slice(0, held_from)))
        except DataError as error:
            refused.append(error)
    if not parts:
        raise refused[0]
    return tuple(parts)


def _begin(search: Search) -> optuna.Study:
    """Open the study, with the defaults of each family to begin with; ConfigError if it is of another question."""
    study = search.open(0)
    question = {
        "data": fingerprint(search.task.recordings)["sha256"],
        "families": list(search.families),
        "fixed": dict(search.fixed),
    }
    if not study.user_attrs:
        for name, value in question.items():
            study.set_user_attr(name, value)
        for family in search.families:
            study.enqueue_trial({FAMILY: family} | defaults(family, search.fixed))
    for name, value in question.items():
        if study.user_attrs[name] != value:
            raise ConfigError(
                f"{search.study}: expected a study with the same {name}, got one with {study.user_attrs[name]}; "
                "give another --study"
            )
    _give_up_running(study)
    return study


def _run(search: Search, study: optuna.Study, on_poll: Callable[[Sequence[Trial]], None] | None) -> None:
    workers = list(_started(search, trials_of(study)))
    try:
        while any(each.is_alive() for each in workers):
            sleep(POLL_S)
            if on_poll is not None:
                on_poll(trials_of(study))
    finally:
        for each in workers:
            each.terminate()
            each.join()
    for each in workers:
        if each.exitcode != 0:
            _log.warning("a worker ended early, with %s; perhaps memory ran out: try fewer --jobs", each.exitcode)


def _started(search: Search, before: Sequence[Trial]) -> Iterator[BaseProcess]:
    """Start the workers, which share what trials are left to do."""
    from models.search.trying import work

    processes = get_context("spawn")  # TensorFlow does not survive a fork
    done = sum(each.error == each.error or bool(each.failure) for each in before)
    left = None if search.trials is None else max(search.trials - done, 0)
    end = None if search.seconds is None else time() + search.seconds
    for number in range(search.jobs):
        share = None if left is None else len(range(number, left, search.jobs))
        if share == 0:
            continue
        process = processes.Process(target=work, args=(search, len(before) + 1000 * number, share, end), daemon=True)
        process.start()
        yield process


def trials_of(study: optuna.Study) -> tuple[Trial, ...]:
    """Return the trials that were begun, by number."""
    trials = study.get_trials(deepcopy=False)
    return tuple(_trial(each) for each in trials if each.state != TrialState.WAITING)


def _trial(frozen: FrozenTrial) -> Trial:
    error = frozen.value if frozen.value is not None else float("nan")
    if frozen.state == TrialState.PRUNED and frozen.intermediate_values:
        error = frozen.intermediate_values[max(frozen.intermediate_values)]
    state = _STATES.get(frozen.state, "running")
    return Trial(frozen.number, error, state, frozen.params, frozen.user_attrs.get(FAILURE, ""))


def _give_up_running(study: optuna.Study) -> None:
    """Close the trials that no process is at work on any more."""
    for each in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(each.number, state=TrialState.FAIL)


def _best(search: Search, study: optuna.Study) -> Found:
    trials = trials_of(study)
    complete = [each for each in trials if each.state == "complete"]
    if not complete:
        failures = [each.failure for each in trials if each.failure]
        raise DataError(
            f"{search.study}: expected at least one trial to be done, got none of {len(trials)}"
            + (f"; the last one failed with: {failures[-1]}" if failures else "")
        )
    best = min(complete, key=lambda each: each.error)
    tried = {name: value for name, value in best.settings.items() if name != FAMILY}
    return Found(*search.specs(best.settings[FAMILY], tried), best.error, trials)


@contextmanager
def _alone(study: Path) -> Iterator[None]:
    """Hold the study's file, so that no second search calls the trials of this one its own."""
    try:
        study.parent.mkdir(parents=True, exist_ok=True)
        with study.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError as error:
        raise ConfigError(f"{study}: expected a study that no other search is at work on, got one that is") from error
    except OSError as error:
        raise ConfigError(f"{study}: expected a file that can be written, got: {error.strerror}") from error
