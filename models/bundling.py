"""From recordings to a bundle: learn, export, calibrate, seal, and try it."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from edge.bundle import GOLDEN, STEP_ONNX, Bundle, write_bundle
from edge.calendar import zone
from edge.errors import BundleError, ConfigError, DataError
from edge.golden import self_test
from edge.limits import Budget, Tail
from edge.manifest import Channel, Manifest
from edge.runtime import OnnxRuntime
from edge.state import LAYOUT_VERSION, layout, record_dtype
from models.calibration import calibrate, unit_scaling
from models.data.recordings import Recording, fingerprint
from models.export import check_exportable, export_onnx, export_weights, parity_error
from models.golden import make_golden
from models.runtime import KerasRuntime
from models.spec import ForecasterSpec, TrainingSpec, loss_of
from models.training.fitting import Epoch, Fitted, fit, last_value_error
from models.training.preparation import prepare
from models.training.sequences import Split, Stretches

WEIGHTS = "weights.npz"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NO_TAIL = Tail(count=1, exceeding=1, threshold=0.0, mean_excess=0.0)


def train_bundle(
    recordings: Sequence[Recording],
    spec: ForecasterSpec,
    training: TrainingSpec,
    *,
    name: str,
    out: Path,
    units: Mapping[str, str] | None = None,
    time_zone: str = "UTC",
    budget: str = "1 per month",
    account: Mapping[str, object] | None = None,
    progress: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Bundle:
    """Train a forecaster on recordings and seal it, with all it needs to be run, as OUT/NAME/VERSION.

    The version is the next whole number; `units` are the channels' units by name, `account` is what became of
    the data on its way here. Streams that are too short are left out with a warning. `on_epoch` is told of each
    epoch. DataError and ConfigError say what is wrong with what was given, BundleError that the sealed bundle
    does not do what the trained network did.
    """
    check_given(recordings, name)
    zone(time_zone)
    Budget.parse(budget)
    loss_of(spec, training)
    spec = spec.sized(len(recordings[0].channels))
    prepared = prepare(recordings, spec, training, time_zone)
    splits, low, high = prepared.splits, prepared.low, prepared.high
    check_exportable(spec, len(low))
    fitted = fit(prepared.learnt, prepared.held_out, spec, training, progress=progress, on_epoch=on_epoch)

    model = export_onnx(fitted.forecaster)
    draft = Manifest(
        name=name,
        version=_next_version(out / name),
        created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        spec=asdict(spec) | {"training": asdict(training)},
        channels=tuple(Channel(each, (units or {}).get(each, "")) for each in recordings[0].channels),
        interval_ms=recordings[0].interval_ms,
        time_zone=time_zone,
        calendar=spec.calendar,
        horizon=spec.horizon,
        memory=fitted.forecaster.memory_size,
        burn_in=spec.lookback,
        max_gap=spec.lookback,
        budget=budget,
        scaling=unit_scaling(splits, low, high, fixed=spec.output != "linear"),
        tail=_NO_TAIL,
        layout_version=LAYOUT_VERSION,
        layout=layout(record_dtype(len(low), fitted.forecaster.memory_size)),
        metrics=_metrics(fitted, prepared.held_out, model),
        data=fingerprint([each.recording for each in splits]) | dict(account or {}),
    )
    return _seal(out, calibrate(draft, OnnxRuntime(model), splits), model, fitted, splits)


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


def _metrics(fitted: Fitted, held_out: Stretches, model: bytes) -> dict[str, float]:
    return {
        "held_out_error": fitted.error,
        "last_value_error": last_value_error(held_out),
        "parity_error": parity_error(fitted.forecaster, model),
        "epochs": float(fitted.epochs),
    }


def _seal(out: Path, manifest: Manifest, model: bytes, fitted: Fitted, splits: Sequence[Split]) -> Bundle:
    """Write the bundle and try it; one that fails is not left behind."""
    golden = make_golden(manifest, KerasRuntime(fitted.forecaster), splits)
    files = {STEP_ONNX: model, WEIGHTS: export_weights(fitted.forecaster), GOLDEN: golden}
    bundle = write_bundle(out, manifest, files)
    try:
        self_test(bundle)
    except BundleError:
        shutil.rmtree(bundle.path)
        raise
    return bundle


def _next_version(folder: Path) -> str:
    versions = [int(each.name) for each in folder.glob("*") if each.name.isdecimal()]
    return str(max(versions, default=0) + 1)
