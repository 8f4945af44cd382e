"""Trials in their own process: what they let pass, and what ends those that must not go on."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import BundleError
from edge.updates.trial import Limits, Trial
from tests.conftest import write_pump
from tests.edge.updates.fleet import Operator
from tests.edge.updates.models import endless_model, greedy_model, nan_model
from tests.system.conftest import wait_until


def outcome(trial: Trial) -> None:
    """Return when a trial has passed, raise if it has failed."""
    trial.start()
    wait_until(trial.is_over, "the trial is over", 60)


def test_a_good_bundle_passes(operator: Operator) -> None:
    outcome(Trial(operator.make("2"), operator.make("1")))


def test_a_bundle_that_does_not_come_to_an_end_is_ended_by_its_share_of_the_processor(operator: Operator) -> None:
    trial = Trial(operator.make_bad("2", endless_model()), None, limits=Limits(cpu_s=2))
    with pytest.raises(
        BundleError, match="self-test: expected it to end by itself, got more than 2 s of the processor"
    ):
        outcome(trial)


def test_a_bundle_that_does_not_come_to_an_end_is_ended_by_the_clock(operator: Operator) -> None:
    trial = Trial(operator.make_bad("2", endless_model()), None, limits=Limits(wall_s=2))
    with pytest.raises(BundleError, match=r"got more than 2 s$"):
        outcome(trial)


@pytest.fixture
def endless(operator: Operator) -> Iterator[Trial]:
    trial = Trial(operator.make_bad("2", endless_model()), None)
    trial.start()
    yield trial
    trial.stop()


def test_a_bundle_that_crashes_its_process_is_told_with_the_signal(endless: Trial) -> None:
    assert isinstance(endless._process, subprocess.Popen)
    endless._process.send_signal(signal.SIGSEGV)
    with pytest.raises(BundleError, match="expected it to end by itself, got SIGSEGV"):
        wait_until(endless.is_over, "the trial is over")


def test_a_bundle_that_wants_all_memory_fails(operator: Operator) -> None:
    with pytest.raises(BundleError, match=r"self-test: .*(memory|allocate|alloc)"):
        outcome(Trial(operator.make_bad("2", greedy_model()), None))


def test_a_bundle_that_forecasts_no_numbers_fails(operator: Operator) -> None:
    with pytest.raises(BundleError, match=r"self-test: .*expected finite forecasts, got"):
        outcome(Trial(operator.make_bad("2", nan_model()), None))


@pytest.mark.parametrize("other", [{"channels": ("flow", "pressure")}, {"channels": ("flow",)}, {"interval_ms": 1000}])
def test_a_bundle_for_other_channels_or_another_interval_fails(other: dict[str, object], tmp_path: Path) -> None:
    before = write_pump(tmp_path / "before")
    after = write_pump(tmp_path / "after", version="2", **other)  # type: ignore[arg-type]
    with pytest.raises(BundleError, match="self-test: channels: expected those of version 1,"):
        outcome(Trial(after.path, before.path))
