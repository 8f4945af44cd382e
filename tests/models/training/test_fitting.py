from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from edge.errors import ConfigError
from models.data.recordings import Recording
from models.families import FAMILIES
from models.forecaster import Forecaster
from models.spec import ForecasterSpec, TrainingSpec
from models.training import fitting as module
from models.training.fitting import UNEARNED, Fitted, fit, last_value_error
from models.training.preparation import prepare
from models.training.sequences import Cutter, Stretches, input_range, split

SPEC = ForecasterSpec(family="mlp", units=8, lookback=6, order=0)
BRIEF = TrainingSpec(epochs=30, stretch=16, learning_rate=0.02, patience=6)

Halves = tuple[Stretches, Stretches]


@pytest.fixture(scope="module")
def halves(make_recording: Callable[..., Recording]) -> Halves:
    splits = [split(make_recording(slots=2400), SPEC, BRIEF)]
    cutter = Cutter(SPEC, *input_range(splits), "UTC")
    return cutter.learnt(splits, BRIEF.stretch), cutter.held_out(splits, BRIEF.stretch)


def test_the_network_beats_the_last_value_where_there_is_something_to_learn(halves: Halves) -> None:
    fitted = fit(*halves, SPEC, BRIEF)
    assert fitted.error < 0.9 * last_value_error(halves[1])


def test_the_weights_are_those_of_the_best_epoch(halves: Halves) -> None:
    brief = replace(BRIEF, learning_rate=0.05, patience=4, epochs=200)
    long = fit(*halves, SPEC, brief)
    again = fit(*halves, SPEC, replace(brief, epochs=long.epochs - 4))
    assert long.stopped == "no better any more"
    assert long.error == again.error
    for one, other in zip(long.forecaster.get_weights(), again.forecaster.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def series(kind: str, slots: int = 1200) -> Recording:
    """Return noise, an autoregression of order 1, or a logistic map, in which nothing is linear."""
    values = np.random.default_rng(0).normal(0, 1, slots)
    values[0] = 0.3
    for slot in range(1, slots):
        if kind == "autoregression":
            values[slot] += 0.5 * values[slot - 1]
        elif kind == "map":
            values[slot] = 3.9 * values[slot - 1] * (1 - values[slot - 1])
    return Recording("a", ("flow",), 600_000, 2_833_488, values[:, None])


def fitted_to(recording: Recording, spec: ForecasterSpec) -> tuple[Fitted, float]:
    """Return what is fitted, and the error of what is beneath its network."""
    data = prepare([recording], spec, BRIEF)
    alone = fit(data.learnt, data.held_out, spec, replace(BRIEF, learning_rate=1e-12, epochs=1))
    assert alone.stopped == UNEARNED
    return fit(data.learnt, data.held_out, spec, BRIEF), alone.error


@pytest.mark.parametrize("order", [0, 3])
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("kind", ["noise", "autoregression"])
def test_a_network_that_has_nothing_to_learn_beside_what_is_linear_is_left_out(
    kind: str, skip: bool, order: int
) -> None:
    fitted, simpler = fitted_to(series(kind), replace(SPEC, skip=skip, order=order))
    if order or (kind == "noise" and not skip):
        assert (fitted.stopped, fitted.error) == (UNEARNED, simpler)
        assert not fitted.forecaster.head.forecast.get_weights()[0].any()
    else:
        assert fitted.stopped != UNEARNED
        assert fitted.error < 0.95 * simpler


def test_a_network_that_learns_what_is_not_linear_is_kept() -> None:
    fitted, simpler = fitted_to(series("map"), replace(SPEC, order=3))
    assert fitted.stopped != UNEARNED
    assert fitted.error < 0.5 * simpler


def test_a_gain_within_the_standard_error_is_none(halves: Halves, monkeypatch: pytest.MonkeyPatch) -> None:
    simpler = fit(*halves, SPEC, replace(BRIEF, learning_rate=1e-12, epochs=1)).error
    share = np.count_nonzero(halves[1].weight) ** -0.5
    judged = module._Judge.judge
    for gain, stopped in ((0.9 * share, UNEARNED), (1.1 * share, "all epochs done")):
        errors = iter([simpler, (1 - gain) * simpler])
        monkeypatch.setattr(module._Judge, "judge", lambda _, errors=errors: module._Judged(*[next(errors)] * 2))
        fitted = fit(*halves, SPEC, replace(BRIEF, epochs=1))
        monkeypatch.setattr(module._Judge, "judge", judged)
        assert fitted.stopped == stopped
        assert fitted.error == (simpler if stopped == UNEARNED else (1 - gain) * simpler)


def test_a_likelihood_need_only_be_better(halves: Halves) -> None:
    fitted = fit(*halves, replace(SPEC, head="gaussian"), BRIEF)
    assert fitted.stopped != UNEARNED


def test_it_stops_once_it_is_good_enough(halves: Halves) -> None:
    fitted = fit(*halves, SPEC, replace(BRIEF, target_error=last_value_error(halves[1])))
    assert (fitted.epochs, fitted.stopped) == (1, "good enough")


@pytest.mark.slow
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
    told = "the loss was no longer finite in epoch 3; the best so far is kept; a learning_rate below 0.02 may help"
    assert told in caplog.text


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


@pytest.mark.slow
@pytest.mark.parametrize("family", ["mlp", "lstm"])
def test_the_same_seed_gives_the_same_weights_with_dropout_too(halves: Halves, family: str) -> None:
    spec, brief = ForecasterSpec(family=family, units=8, lookback=6, dropout=0.3), replace(BRIEF, epochs=2, seed=3)
    one, again = (fit(*halves, spec, brief).forecaster.get_weights() for _ in range(2))
    other = fit(*halves, spec, replace(brief, seed=4)).forecaster.get_weights()
    for mine, same in zip(one, again, strict=True):
        np.testing.assert_array_equal(mine, same)
    assert any((mine != its).any() for mine, its in zip(one, other, strict=True))


def test_dropout_is_for_training_alone(halves: Halves) -> None:
    forecaster = fit(*halves, replace(SPEC, dropout=0.5), replace(BRIEF, epochs=1)).forecaster
    x = halves[1].x[:3]
    np.testing.assert_array_equal(forecaster(x)[0], forecaster(x)[0])
    assert not np.array_equal(forecaster(x, training=True)[0], forecaster(x, training=True)[0])


@pytest.mark.parametrize(("penalty", "size"), [("l1", 0.005), ("l2", 0.05)])
def test_a_penalty_keeps_kernels_small(halves: Halves, penalty: str, size: float) -> None:
    brief = replace(BRIEF, epochs=5, patience=5)
    free, held = (
        fit(*halves, SPEC, each).forecaster.trainable_variables
        for each in (brief, TrainingSpec(**{**asdict(brief), penalty: size}))
    )
    sizes = [sum(float(np.abs(each).sum()) for each in kernels(variables)) for variables in (free, held)]
    assert sizes[1] < 0.5 * sizes[0]


@pytest.mark.parametrize("family", [name for name, each in FAMILIES.items() if each.fitted == "gradient"])
def test_every_family_that_is_trained_has_kernels_to_keep_small(family: str) -> None:
    body = Forecaster(ForecasterSpec(family=family, lookback=4), 2)
    assert kernels(body.trainable_variables)


def kernels(variables: list[Any]) -> list[np.ndarray]:
    return [each.numpy() for each in variables if each.name.endswith("kernel")]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("loss", ["huber", "mse", "rmse", "mae"])
def test_every_loss_is_learnt_with_every_optimizer(halves: Halves, loss: str, optimizer: str) -> None:
    momentum = 0.9 if optimizer == "sgd" else 0.0
    brief = replace(BRIEF, loss=loss, optimizer=optimizer, momentum=momentum, epochs=8)
    assert fit(*halves, SPEC, brief).error < last_value_error(halves[1])


@pytest.mark.parametrize("schedule", ["plateau", "constant", "cosine", "exponential"])
def test_every_schedule_learns(halves: Halves, schedule: str) -> None:
    fitted = fit(*halves, SPEC, replace(BRIEF, schedule=schedule, epochs=8))
    assert fitted.error < last_value_error(halves[1])


def test_a_rate_that_explodes_before_anything_is_learnt_is_told(halves: Halves) -> None:
    wild = replace(BRIEF, loss="mse", optimizer="sgd", learning_rate=0.99, clip_norm=1e30, momentum=0.99)
    explosive = replace(SPEC, activation="relu", units=64)
    with pytest.raises(
        ConfigError, match=r"learning_rate: expected one with which the loss stays finite, got 0\.99, .* in epoch \d+"
    ):
        fit(*halves, explosive, wild)


def test_a_loss_that_is_lost_before_anything_is_learnt_is_told(halves: Halves, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter((1.0, float("nan")))
    monkeypatch.setattr(module._Trainer, "run_epoch", lambda _: next(losses))
    with pytest.raises(ConfigError, match=r"got 0\.02, with which it was not in epoch 2"):
        fit(*halves, SPEC, BRIEF)


@pytest.mark.parametrize("head", ["gaussian", "student_t"])
def test_a_channel_at_rest_can_be_learnt_by_its_likelihood(head: str) -> None:
    still = Recording("a", ("flow",), 600_000, 2_833_488, np.full((200, 1), 7.0))
    spec = replace(SPEC, head=head)
    splits = [split(still, spec, BRIEF)]
    cutter = Cutter(spec, *input_range(splits), "UTC")
    fitted = fit(cutter.learnt(splits, 16), cutter.held_out(splits, 16), spec, replace(BRIEF, epochs=60))
    assert fitted.error < 0.05
    assert 0.01 < float(np.min(fitted.forecaster(np.zeros((1, 6, 5), np.float32))[1])) < 0.3
