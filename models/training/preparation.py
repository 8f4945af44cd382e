"""Preparation: from recordings to what a forecaster learns from and what it is judged by."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.errors import DataError
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec
from models.training.sequences import Cutter, Split, Stretches, Values, input_range, split

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Streams split in time, and their stretches."""

    splits: list[Split]
    low: Values  #: (C,) inputs are held to low..high
    high: Values
    learnt: Stretches
    held_out: Stretches


def prepare(
    recordings: Sequence[Recording], spec: ForecasterSpec, training: TrainingSpec, time_zone: str = "UTC"
) -> Prepared:
    """Split and cut recordings; streams that are too short are left out with a warning, DataError if all are.

    DataError too if forecasts will be probabilities and a value is none.
    """
    if spec.output != "linear":
        _check_range(recordings, spec)
    splits = _splits(recordings, spec, training)
    low, high = input_range(splits)
    cutter = Cutter(spec, low, high, time_zone)
    held_out = cutter.held_out(splits, training.stretch)
    return Prepared(splits, low, high, cutter.learnt(splits, training.stretch), held_out)


def _check_range(recordings: Sequence[Recording], spec: ForecasterSpec) -> None:
    for each in recordings:
        for row, channel in np.argwhere((each.values < 0) | (each.values > 1))[:1]:
            slot = np.datetime64(int(each.slots[row]) * each.interval_ms, "ms")
            raise DataError(
                f"{each.name}: {each.channels[channel]}: expected values in 0..1 with {spec.output} output, "
                f"got {each.values[row, channel]:g} at {slot}Z"
            )


def _splits(recordings: Sequence[Recording], spec: ForecasterSpec, training: TrainingSpec) -> list[Split]:
    splits, refused = [], []
    for each in recordings:
        try:
            splits.append(split(each, spec, training))
        except DataError as error:
            refused.append(error)
    if not splits:
        raise refused[0]
    for reason in refused:
        _log.warning("left out: %s", reason)
    return splits
