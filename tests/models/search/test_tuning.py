import fcntl
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import time

import optuna
import pytest

from edge.errors import ConfigError, DataError
from models.data.recordings import Recording
from models.search import trying
from models.search.task import Task
from models.search.tuning import Search, Trial, run_search, searched
from models.spec import TrainingSpec
from models.training.fitting import Epoch

MakeRecording = Callable[..., Recording]
FIXED = {"epochs": "2", "units": "3", "lookback": "6", "stretch": "16", "batch_size": "16"}


@pytest.fixture
def search(make_recording: MakeRecording, tmp_path: Path) -> Search:
    return Search(Task("pump", (make_recording(),)), tmp_path / "pump.study", ("elman", "mlp"), FIXED, trials=3)


@pytest.mark.timeout(900)  # three processes that import TensorFlow, on a machine that may be busy
@pytest.mark.slow
def test_a_search_is_reproducible_and_goes_on_where_it_ended(search: Search, tmp_path: Path) -> None:
    found = run_search(search)
    again = run_search(replace(search, study=tmp_path / "again.study"))
    assert found.trials == again.trials
    assert [each.number for each in found.trials] == [0, 1, 2]
    assert [each.settings["family"] for each in found.trials[:2]] == ["elman", "mlp"]
    assert found.error == min(each.error for each in found.trials if each.state == "complete")
    assert (found.spec.units, found.spec.lookback, found.training.epochs) == (3, 6, 2)

    more = run_search(replace(search, trials=4))
    assert more.trials[:3] == found.trials
    assert len(more.trials) == 4
    assert run_search(replace(search, trials=4)).trials == more.trials


def test_an_interrupted_search_takes_the_best_so_far(search: Search, caplog: pytest.LogCaptureFixture) -> None:
    def interrupt(trials: Sequence[Trial]) -> None:
        if any(each.state == "complete" for each in trials):
            raise KeyboardInterrupt

    found = run_search(replace(search, trials=500), interrupt)
    assert found.error < 1
    assert len(found.trials) < 500
    assert {each.state for each in found.trials} <= {"complete", "pruned", "failed"}
    assert "interrupted; the best so far is taken" in caplog.text


def test_a_search_without_a_trial_that_is_done_says_why(search: Search) -> None:
    far = replace(search, fixed=FIXED | {"lookback": "5000"}, trials=1)
    with pytest.raises(DataError, match=r"expected at least one trial to be done, got none of 1; .*expected at least"):
        run_search(far)


def test_a_study_of_another_question_is_refused(search: Search) -> None:
    search.open(0).set_user_attr("data", "other")
    with pytest.raises(ConfigError, match="expected a study with the same data, got one with other"):
        run_search(search)


def test_a_file_that_is_no_study_is_refused(search: Search) -> None:
    search.study.write_text("this is no database, but a text that is quite long enough to be told from one" * 9)
    with pytest.raises(ConfigError, match="expected a study of `foresense tune`"):
        run_search(search)


def test_two_searches_do_not_share_a_study(search: Search) -> None:
    with search.study.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="expected a study that no other search is at work on"):
            run_search(search)


def test_a_search_does_not_see_what_is_held_out_at_last(make_recording: MakeRecording) -> None:
    long, short = make_recording("long"), make_recording("short", slots=20)
    (seen,) = searched((long, short), TrainingSpec(validation=0.25))
    assert (seen.name, seen.first, len(seen.values)) == ("long", long.first, 300)
    with pytest.raises(DataError, match="short: expected at least"):
        searched((short,), TrainingSpec())


def test_an_unknown_setting_is_told_before_the_search(search: Search) -> None:
    with pytest.raises(ConfigError, match="setting: expected 'units' perhaps"):
        run_search(replace(search, fixed={"unit": "3"}))
    assert not search.study.exists()


class FakeTrial(optuna.trial.FixedTrial):
    """A trial that is given up when it is told to."""

    def __init__(self, *, pruned: bool) -> None:
        super().__init__({})
        self.pruned, self.reported = pruned, list[tuple[float, int]]()

    def report(self, value: float, step: int) -> None:
        self.reported.append((value, step))

    def should_prune(self) -> bool:
        return self.pruned


def watch(*, pruned: bool = False, end: float | None = None, parent: int | None = None) -> trying._Watch:
    trial: optuna.Trial = FakeTrial(pruned=pruned)  # type: ignore[assignment]
    return trying._Watch(trial, end, os.getppid() if parent is None else parent)


def test_a_trial_reports_the_best_it_has_reached() -> None:
    told = watch()
    for number, error in enumerate((0.3, 0.2, 0.4), 1):
        told(Epoch(number, 1.0, error))
    assert told.trial.reported == [(0.3, 1), (0.2, 2), (0.2, 3)]  # type: ignore[attr-defined]


def test_a_trial_ends_when_it_is_hopeless_late_or_alone() -> None:
    with pytest.raises(optuna.TrialPruned):
        watch(pruned=True)(Epoch(1, 1.0, 0.3))
    late = watch(pruned=True, end=time() - 1)
    with pytest.raises(trying._TimeIsUp):
        late(Epoch(1, 1.0, 0.3))
    assert late.best == 0.3
    with pytest.raises(SystemExit):
        watch(parent=-1)(Epoch(1, 1.0, 0.3))
