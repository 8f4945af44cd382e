from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge.errors import ConfigError
from models import training as module
from models.data import Recording
from models.sequences import Cutter, Stretches, input_range, split
from models.spec import ForecasterSpec, TrainingSpec
from models.training import fit, last_value_error

SPEC = ForecasterSpec(family="mlp", units=8, lookback=6)
BRIEF = TrainingSpec(epochs=30, stretch=16, learning_rate=0.02, patience=6)

Halves = tuple[Stretches, Stretches]


@pytest.fixture(scope="module")
def halves(make_recording: Callable[..., Recording]) -> Halves:
    splits = [split(make_recording(slots=600), SPEC, BRIEF)]
    cutter = Cutter(SPEC, *input_range(splits), "UTC")
    return cutter.learnt(splits, BRIEF.stretch), cutter.held_out(splits, BRIEF.stretch)


def test_the_network_beats_the_last_value_where_there_is_something_to_learn(halves: Halves) -> None:
    fitted = fit(*halves, SPEC, BRIEF)
    assert fitted.error < 0.9 * last_value_error(halves[1])


def test_the_weights_are_those_of_the_best_epoch(halves: Halves) -> None:
    long = fit(*halves, SPEC, replace(BRIEF, learning_rate=0.3, patience=4))
    again = fit(*halves, SPEC, replace(BRIEF, learning_rate=0.3, epochs=max(long.epochs - 4, 1)))
    assert long.stopped == "no better any more"
    assert long.error == again.error
    for one, other in zip(long.forecaster.get_weights(), again.forecaster.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_stops_once_it_is_good_enough(halves: Halves) -> None:
    fitted = fit(*halves, SPEC, BRIEF, good_enough=last_value_error(halves[1]))
    assert (fitted.epochs, fitted.stopped) == (1, "good enough")


def test_what_has_no_weight_is_not_learnt(halves: Halves) -> None:
    learnt, held_out = halves
    spoilt = replace(learnt, target=np.where(learnt.weight > 0, learnt.target, 1e6).astype(np.float32))
    brief = replace(BRIEF, epochs=2)
    assert fit(spoilt, held_out, SPEC, brief).error == fit(learnt, held_out, SPEC, brief).error


def test_a_loss_that_never_is_finite_is_told(halves: Halves) -> None:
    learnt, held_out = halves
    broken = replace(learnt, x=np.full_like(learnt.x, np.nan))
    with pytest.raises(ConfigError, match=r"learning_rate: expected one with which the loss stays finite, got 0\.02"):
        fit(broken, held_out, SPEC, BRIEF)


def test_a_loss_that_is_no_longer_finite_keeps_the_best(
    halves: Halves, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop_at(monkeypatch, 3, lambda: float("nan"))
    fitted = fit(*halves, SPEC, BRIEF)
    assert fitted.epochs == 2
    assert fitted.error < last_value_error(halves[1])
    assert "the loss was no longer finite in epoch 3; a learning_rate below 0.02 may help" in caplog.text


def test_an_interruption_keeps_the_best(halves: Halves, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_at(monkeypatch, 3, interrupt)
    fitted = fit(*halves, SPEC, BRIEF)
    assert (fitted.epochs, fitted.stopped) == (2, "interrupted")
    assert fitted.error < last_value_error(halves[1])


def test_an_interruption_before_the_first_epoch_is_one(halves: Halves, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_at(monkeypatch, 1, interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(*halves, SPEC, BRIEF)


def test_nothing_is_shown_where_there_is_no_terminal(halves: Halves, capfd: pytest.CaptureFixture[str]) -> None:
    fit(*halves, SPEC, replace(BRIEF, epochs=1), progress=True)
    assert capfd.readouterr() == ("", "")


def interrupt() -> float:
    raise KeyboardInterrupt


def stop_at(monkeypatch: pytest.MonkeyPatch, epoch: int, act: Callable[[], float]) -> None:
    """Let something happen in place of an epoch."""
    run, calls = module._Trainer.run_epoch, iter(range(1, 100))
    monkeypatch.setattr(module._Trainer, "run_epoch", lambda trainer: act() if next(calls) == epoch else run(trainer))
