"""A calibrated forecaster: fitted, exported as it is served, its usual errors measured; what a bundle seals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from edge.day import bins_of
from edge.limits import Tail
from edge.manifest import Channel, Manifest
from edge.runtimes.onnx import OnnxRuntime
from edge.shape import segments_of
from edge.state import LAYOUT_VERSION, layout, record_dtype
from models.calibration import LEAST_SUSTAINED, NO_REFERENCE, calibrate, unit_scaling
from models.data.recordings import fingerprint
from models.export import export_onnx
from models.spec import ForecasterSpec, TrainingSpec
from models.training.fitting import UNEARNED, Epoch, Fitted, fit, last_value_error
from models.training.preparation import Prepared

_NO_TAIL = Tail(count=1, exceeding=1, threshold=0.0, mean_excess=1.0)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A fitted forecaster with all that an engine needs to run it."""

    manifest: Manifest
    model: bytes  #: step.onnx
    fitted: Fitted


def train_calibrated(
    prepared: Prepared,
    spec: ForecasterSpec,
    training: TrainingSpec,
    *,
    name: str,
    budget: str,
    version: str = "1",
    channels: Sequence[Channel] = (),
    time_zone: str = "UTC",
    knows_days: bool = True,
    account: Mapping[str, object] | None = None,
    progress: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Calibrated:
    """Fit a forecaster of a `sized` spec to what was prepared, export its step and calibrate it on what was held out.

    `knows_days` says whether the recordings' times are times of day; the other options are those of `train_bundle`.
    """
    splits, low, high = prepared.splits, prepared.low, prepared.high
    first = splits[0].recording
    fitted = fit(prepared.learnt, prepared.held_out, spec, training, progress=progress, on_epoch=on_epoch)
    model = export_onnx(fitted.forecaster)
    day_bins = bins_of(first.interval_ms) if knows_days else 0
    segments = segments_of(max(len(each.recording.values) for each in splits))
    draft = Manifest(
        name=name,
        version=version,
        created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        spec=asdict(spec) | {"training": asdict(training)},
        channels=tuple(channels) or tuple(map(Channel, first.channels)),
        interval_ms=first.interval_ms,
        time_zone=time_zone,
        calendar=spec.calendar,
        horizon=spec.horizon,
        memory=fitted.forecaster.memory_size,
        burn_in=spec.lookback,
        max_gap=spec.lookback,
        budget=budget,
        scaling=unit_scaling(splits, low, high, fixed=spec.output != "linear"),
        day_bins=day_bins,
        segments=segments,
        sustained=LEAST_SUSTAINED,
        reference=NO_REFERENCE,
        tail=_NO_TAIL,
        layout_version=LAYOUT_VERSION,
        layout=layout(record_dtype(len(low), fitted.forecaster.memory_size, day_bins, segments)),
        metrics={
            "held_out_error": fitted.error,
            "last_value_error": last_value_error(prepared.held_out),
            "epochs": float(fitted.epochs),
            "left_out": float(fitted.stopped == UNEARNED),
            "linear": float(fitted.forecaster.linear is not None and fitted.forecaster.linear.is_solved),
        },
        data=fingerprint([each.recording for each in splits]) | dict(account or {}),
    )
    return Calibrated(calibrate(draft, OnnxRuntime(model), splits), model, fitted)
