"""From recordings to a bundle: learn, export, calibrate, seal, and try it."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edge.bundle import GOLDEN, STEP_ONNX, STEP_TFLITE, Bundle, write_bundle
from edge.calendar import zone
from edge.errors import BundleError, ConfigError, DataError
from edge.golden import self_test
from edge.limits import Budget
from edge.manifest import Channel
from edge.runtimes import RUNTIMES
from edge.runtimes.litert import LiteRuntime
from edge.runtimes.onnx import OnnxRuntime
from models.calibrated import Calibrated, train_calibrated
from models.data.recordings import Recording
from models.export import check_exportable, export_weights
from models.golden import make_golden
from models.parity import parity_error
from models.runtime import KerasRuntime
from models.spec import ForecasterSpec, TrainingSpec, loss_of
from models.tflite.conversion import export_tflite, operators
from models.tflite.trial import try_int8
from models.training.fitting import Epoch
from models.training.preparation import Prepared, prepare

WEIGHTS = "weights.npz"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def train_bundle(
    recordings: Sequence[Recording],
    spec: ForecasterSpec,
    training: TrainingSpec,
    *,
    name: str,
    out: Path,
    channels: Sequence[Channel] = (),
    time_zone: str = "UTC",
    budget: str = "1 per month",
    account: Mapping[str, object] | None = None,
    int8: bool = False,
    progress: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Bundle:
    """Train a forecaster on recordings and seal it, with all it needs to be run, as OUT/NAME/VERSION.

    The version is the next whole number; `channels` is what is declared of them, `account` is what became of the data
    on its way here. Streams that are too short are left out with a warning. With `int8` a step in whole numbers is
    tried as well, and comes along where it gives the same verdicts. `on_epoch` is told of each epoch. DataError and
    ConfigError say what is wrong with what was given, BundleError that the sealed bundle does not do what the trained
    network did.
    """
    check_given(recordings, name)
    zone(time_zone)
    Budget.parse(budget).per_slot(1)
    loss_of(spec, training)
    spec = spec.sized(len(recordings[0].channels))
    prepared = prepare(recordings, spec, training, time_zone)
    check_exportable(spec, len(prepared.low))
    calibrated = train_calibrated(
        prepared,
        spec,
        training,
        name=name,
        budget=budget,
        version=_next_version(out / name),
        channels=channels,
        time_zone=time_zone,
        account=account,
        progress=progress,
        on_epoch=on_epoch,
    )
    return _seal(out, calibrated, prepared, int8=int8)


def check_given(recordings: Sequence[Recording], name: str) -> None:
    """Raise ConfigError if a bundle cannot have the name, DataError if the recordings do not belong together."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"name: expected letters, digits, '.', '_' and '-', got {name!r}")
    if not recordings:
        raise DataError("recordings: expected at least one stream, got none")
    first, seen = recordings[0], set[str]()
    for each in recordings:
        if (each.channels, each.interval_ms) != (first.channels, first.interval_ms):
            raise DataError(
                f"{each.name}: expected channels {', '.join(first.channels)} every {first.interval_ms} ms "
                f"as in {first.name}, got {', '.join(each.channels)} every {each.interval_ms} ms"
            )
        if each.name in seen:
            raise DataError(f"{each.name}: expected one recording of each stream, got two")
        seen.add(each.name)


def _seal(out: Path, calibrated: Calibrated, prepared: Prepared, *, int8: bool) -> Bundle:
    """Compare the exports, write the bundle and try it; one that fails is not left behind."""
    forecaster, manifest = calibrated.fitted.forecaster, calibrated.manifest
    golden = make_golden(manifest, KerasRuntime(forecaster), prepared.splits)
    files = {STEP_ONNX: calibrated.model, WEIGHTS: export_weights(forecaster), GOLDEN: golden}
    float32 = OnnxRuntime(calibrated.model)
    metrics = {"parity_error": parity_error(forecaster, float32, STEP_ONNX)}
    exports: dict[str, object] = {}
    try:
        files[STEP_TFLITE] = tflite = export_tflite(forecaster)
    except BundleError as error:
        exports["tflite"] = {"refused": str(error)}
    else:
        metrics["parity_error_tflite"] = parity_error(forecaster, LiteRuntime(tflite), STEP_TFLITE)
        exports["tflite"] = {"operators": operators(tflite, STEP_TFLITE)}
    if int8:
        trial = try_int8(forecaster, manifest, float32, prepared.learnt, prepared.splits, golden)
        files |= trial.files
        exports["int8"] = trial.facts()
    return _tried(write_bundle(out, replace(manifest, metrics=manifest.metrics | metrics, exports=exports), files))


def _tried(bundle: Bundle) -> Bundle:
    """Return a bundle that gives its golden verdicts in every runtime; BundleError if not, and it is gone."""
    try:
        for name, kind in RUNTIMES.items():
            if name != "tflite-runtime" and kind.file in bundle.files:
                self_test(bundle, name)
    except BundleError:
        shutil.rmtree(bundle.path)
        raise
    return bundle


def _next_version(folder: Path) -> str:
    versions = [int(each.name) for each in folder.glob("*") if each.name.isdecimal()]
    return str(max(versions, default=0) + 1)
