from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.bundle import Bundle
from edge.errors import BundleError, ConfigError, DataError
from edge.golden import self_test
from models import bundling, calibrated, export
from models.bundling import train_bundle
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training import fitting

MakeRecording = Callable[..., Recording]
TINY = ForecasterSpec(family="mlp", units=4, lookback=6)
BRIEF = TrainingSpec(epochs=1, stretch=16)


def train(recordings: list[Recording], out: Path, **options: Any) -> Bundle:
    return train_bundle(recordings, TINY, BRIEF, **{"name": "pump", "out": out, **options})


def test_the_manifest_says_what_was_trained_on_what(trained: Bundle) -> None:
    manifest = trained.manifest
    assert trained.reference == "pump/1"
    assert [(each.name, each.unit) for each in manifest.channels] == [("flow", "l/s"), ("heat", "")]
    assert (manifest.interval_ms, manifest.time_zone, manifest.budget) == (600_000, "Europe/Rome", "1 per month")
    assert (manifest.burn_in, manifest.max_gap, manifest.horizon, manifest.memory) == (6, 6, 1, 2 * 2 + 5 * 6)
    assert manifest.spec["family"] == "mlp"
    assert manifest.data["rows"] == 800
    assert set(manifest.scaling.streams) == {"pump-1", "pump-2"}
    assert manifest.metrics["held_out_error"] < manifest.metrics["last_value_error"]
    assert set(manifest.files) == {"step.onnx", "step.tflite", "weights.npz", "golden.npz"}


def test_versions_count_up(make_recording: MakeRecording, tmp_path: Path) -> None:
    (tmp_path / "pump" / "9").mkdir(parents=True)
    (tmp_path / "pump" / "draft").mkdir()
    assert train([make_recording()], tmp_path).reference == "pump/10"


def test_a_stream_that_is_too_short_is_left_out_with_a_warning(
    make_recording: MakeRecording, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = train([make_recording("short", slots=20), make_recording("long")], tmp_path)
    assert set(bundle.manifest.scaling.streams) == {"long"}
    assert "left out: short: expected at least 64 slots" in caplog.text


def test_streams_that_are_all_too_short_are_told(make_recording: MakeRecording, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="short: expected at least 64 slots of 600000 ms"):
        train([make_recording("short", slots=20)], tmp_path)


def test_no_streams_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected at least one stream, got none"):
        train([], tmp_path)


def test_streams_must_be_alike_and_named_once(make_recording: MakeRecording, tmp_path: Path) -> None:
    one = make_recording("a")
    with pytest.raises(DataError, match="b: expected channels flow every 600000 ms as in a, got flow every 1000 ms"):
        train([one, replace(one, name="b", interval_ms=1000)], tmp_path)
    with pytest.raises(DataError, match="a: expected one recording of each stream, got two"):
        train([one, one], tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "../pump"}, "name: expected letters, digits"),
        ({"budget": "often"}, "budget: expected a rate"),
        ({"time_zone": "Rome"}, "time zone: expected an IANA name"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_trained(
    make_recording: MakeRecording, tmp_path: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        train([make_recording()], tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_a_bundle_that_fails_its_test_is_not_left_behind(
    make_recording: MakeRecording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(bundle: Bundle, runtime: str) -> int:
        raise BundleError(f"{bundle.reference}: expected other verdicts in {runtime}")

    monkeypatch.setattr(bundling, "self_test", fail)
    with pytest.raises(BundleError, match="pump/1: expected other verdicts in onnx"):
        train([make_recording()], tmp_path)
    assert not list((tmp_path / "pump").iterdir())


def test_a_channel_at_rest_can_be_trained_on(make_recording: MakeRecording, tmp_path: Path) -> None:
    recording = make_recording("a", ("flow", "heat"))
    recording.values[:, 1] = 7.0
    assert train([recording], tmp_path).manifest.tail.threshold >= 1


def test_a_network_that_cannot_be_exported_is_told_before_training(
    make_recording: MakeRecording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise NotImplementedError("an operator that is not there")

    monkeypatch.setattr(export, "export_onnx", refuse)
    monkeypatch.setattr(calibrated, "fit", pytest.fail)
    with pytest.raises(
        ConfigError, match="family: expected a network that can be exported, got mlp: an operator that is not there"
    ):
        train([make_recording()], tmp_path)


def test_a_channel_without_numbers_in_any_stream_is_told(make_recording: MakeRecording, tmp_path: Path) -> None:
    recordings = [make_recording(name, ("flow", "heat")) for name in ("a", "b")]
    for each in recordings:
        each.values[:, 1] = np.nan
    with pytest.raises(DataError, match="a: heat: expected a number somewhere in the first 300 slots, got none"):
        train(recordings, tmp_path)


def test_an_interrupted_training_is_a_bundle_of_the_best_so_far(
    make_recording: MakeRecording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, calls = fitting._Trainer.run_epoch, iter(range(1, 100))

    def interrupt(trainer: fitting._Trainer) -> float:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return run(trainer)

    monkeypatch.setattr(fitting._Trainer, "run_epoch", interrupt)
    brief = replace(BRIEF, epochs=100)
    bundle = train_bundle([make_recording()], TINY, brief, name="pump", out=tmp_path)
    assert bundle.manifest.metrics["epochs"] == 2
    assert self_test(bundle) > 100
