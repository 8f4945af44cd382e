from collections.abc import Callable
from dataclasses import replace

from edge.bundle import Bundle
from edge.manifest import Channel
from edge.shape import LEAST_SLOTS, SEGMENTS
from edge.signals import CONTEXT, SHAPE
from models.calibrated import train_calibrated
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training.preparation import prepare


def test_what_a_bundle_seals_can_be_had_without_sealing_it(
    trained: Bundle, make_recording: Callable[..., Recording]
) -> None:
    recordings = [make_recording(name, ("flow", "heat"), seed=seed) for seed, name in enumerate(("pump-1", "pump-2"))]
    spec = ForecasterSpec(family="mlp", units=4, lookback=6)
    training = TrainingSpec(epochs=4, stretch=16, learning_rate=0.02)
    zone, channels = "Europe/Rome", (Channel("flow", "l/s"), Channel("heat"))
    prepared = prepare(recordings, spec, training, zone)
    calibrated = train_calibrated(
        prepared, spec, training, name="pump", budget="1 per month", channels=channels, time_zone=zone
    )
    sealed = trained.manifest
    metrics = {name: value for name, value in sealed.metrics.items() if "parity" not in name}
    assert calibrated.manifest == replace(
        sealed, created=calibrated.manifest.created, metrics=metrics, files={}, exports={}
    )


def test_a_stream_whose_times_are_of_no_day_is_compared_with_none(make_recording: Callable[..., Recording]) -> None:
    spec, training = ForecasterSpec("ar", lookback=6), TrainingSpec(stretch=16)
    prepared = prepare([make_recording()], spec, training, "UTC")
    dated, timeless = (
        train_calibrated(prepared, spec, training, name="pump", budget="1 per month", knows_days=knows).manifest
        for knows in (True, False)
    )
    assert (dated.day_bins, timeless.day_bins) == (144, 0)
    assert dated.reference.excess[CONTEXT] > 1e-3
    assert timeless.reference.excess[CONTEXT] < 1e-5
    assert timeless.reference.rare[:CONTEXT] == dated.reference.rare[:CONTEXT]


def test_a_course_is_remembered_where_the_longest_stream_has_enough_slots(
    make_recording: Callable[..., Recording],
) -> None:
    spec, training = ForecasterSpec("ar", lookback=6), TrainingSpec(stretch=16)
    for slots, segments in ((LEAST_SLOTS, SEGMENTS), (LEAST_SLOTS - 1, 0)):
        recordings = [make_recording(slots=slots), make_recording(name="shorter", slots=200)]
        prepared = prepare(recordings, spec, training, "UTC")
        manifest = train_calibrated(prepared, spec, training, name="pump", budget="1 per month").manifest
        assert manifest.segments == segments
        assert (manifest.reference.typical[SHAPE] > 0) == (segments > 0)
