"""Trying: what a worker process of a search does, trial after trial, with one thread."""

import os
from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING

import optuna

from models.search.space import FAMILY, choices
from models.search.tuning import FAILURE, Search, searched
from models.worker import begin_work

if TYPE_CHECKING:
    from models.training.fitting import Epoch


def work(search: Search, seed: int, trials: int | None, end: float | None) -> None:
    """Do so many trials, or go on until the time `end` (seconds since 1970)."""
    begin_work()
    study, parent = search.open(seed), os.getppid()
    done = 0
    while (trials is None or done < trials) and (end is None or time() < end):
        study.optimize(lambda trial: _try(search, trial, end, parent), n_trials=1, catch=(Exception,))
        done += 1


def _try(search: Search, trial: optuna.Trial, end: float | None, parent: int) -> float:
    """Train what the trial proposes and return its error; one that the end interrupts counts as far as it came."""
    from models.training.fitting import fit
    from models.training.preparation import prepare

    family = trial.suggest_categorical(FAMILY, search.families)
    tried = {name: choice.propose(trial, name) for name, choice in choices(family, search.fixed).items()}
    watch = _Watch(trial, end, parent)
    try:
        spec, training = search.specs(family, tried)
        prepared = prepare(searched(search.task.recordings, training), spec, training, search.task.time_zone)
        return fit(prepared.learnt, prepared.held_out, spec, training, on_epoch=watch).error
    except _TimeIsUp:
        return watch.best
    except optuna.TrialPruned:
        raise
    except Exception as error:
        trial.set_user_attr(FAILURE, f"{type(error).__name__}: {error}")
        raise


class _TimeIsUp(Exception):  # noqa: N818 it is no error
    """The search has no more time."""


@dataclass
class _Watch:
    """Told of each epoch, it ends a trial that is hopeless or late, and a process whose search is gone."""

    trial: optuna.Trial
    end: float | None
    parent: int
    best: float = field(default=float("inf"), init=False)

    def __call__(self, epoch: "Epoch") -> None:
        """Take in an epoch."""
        if os.getppid() != self.parent:
            raise SystemExit(1)
        self.best = min(self.best, epoch.error)
        self.trial.report(self.best, epoch.number)
        if self.end is not None and time() > self.end:
            raise _TimeIsUp
        if self.trial.should_prune():
            raise optuna.TrialPruned
