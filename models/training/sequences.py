"""Training arrays: recordings cut into stretches that a network runs through from beginning to end.

The first `burn_in` slots of a stretch fill the memory and carry no loss; they are the last ones of the
stretch before, so every slot is a target once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.calendar import Calendar
from edge.errors import DataError
from edge.scaling import after_move, usable_scale
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec

LEAST_HELD_OUT = 16  #: slots; fewer errors tell nothing of their tail

Values = NDArray[np.float64]
Inputs = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Split:
    """A recording in its own scale, cut in time into what is learnt from and what is held out."""

    recording: Recording
    held_from: int  #: row of the first slot that is held out
    location: Values  #: (C,) mean of the part learnt from
    scale: Values  #: (C,) its deviation; where a channel does not vary there, what its first move afterwards sets

    @property
    def scaled(self) -> Values:
        """Return all values (T, C) in the stream's scale."""
        return (self.recording.values - self.location) / self.scale


@dataclass(frozen=True, slots=True)
class Stretches:
    """N stretches of L slots: inputs, what was to be forecast, and what that counts."""

    x: Inputs  #: (N, L, C') as a forecaster takes it
    last: Inputs  #: (N, L, C) the last values, scaled
    target: Inputs  #: (N, L, H, C) the values of the next H slots, scaled
    weight: Inputs  #: (N, L, H, C) 1 where there is a target, 0 in the burn-in and where a value is missing

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Return the stretches of all parts, which must not be none."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


def split(recording: Recording, spec: ForecasterSpec, training: TrainingSpec) -> Split:
    """Hold out the last share of a stream and scale it by the rest; DataError if it is too short for that."""
    rows, share = len(recording.values), training.validation
    needed = int(np.ceil(max(LEAST_HELD_OUT / share, 2 * spec.lookback / (1 - share))))
    if rows < needed:
        raise DataError(
            f"{recording.name}: expected at least {needed} slots of {recording.interval_ms} ms "
            f"(lookback {spec.lookback}, {share:g} held out), got {rows}"
        )
    held_from = rows - round(rows * share)
    learnt = recording.values[:held_from]
    for channel in np.flatnonzero(~np.isfinite(learnt).any(axis=0)):
        raise DataError(
            f"{recording.name}: {recording.channels[channel]}: expected a number somewhere in the first "
            f"{held_from} slots, got none"
        )
    if spec.output != "linear":
        return Split(recording, held_from, np.zeros(learnt.shape[1]), np.ones(learnt.shape[1]))
    location = np.nanmean(learnt, axis=0)
    scale = usable_scale(location, np.nanstd(learnt, axis=0))
    return Split(recording, held_from, location, _after_first_moves(recording.values, location, scale))


def _after_first_moves(values: Values, location: Values, scale: Values) -> Values:
    """Return the scales (C,) after all values (T, C): until it moves, a channel that stands still is 0 in any scale."""
    moves = np.abs(values - location) > scale
    first = values[moves.argmax(axis=0), np.arange(values.shape[1])]
    return after_move(np.where(moves.any(axis=0), first, np.nan), location, scale)


def input_range(splits: Sequence[Split]) -> tuple[Values, Values]:
    """Return low and high (C,): the scaled range learnt from, widened by twice its width, at least 1, on each side."""
    learnt = [each.scaled[: each.held_from] for each in splits]
    low = np.min([np.nanmin(part, axis=0) for part in learnt], axis=0)
    high = np.max([np.nanmax(part, axis=0) for part in learnt], axis=0)
    margin = np.maximum((high - low) * 2, 1.0)
    return low - margin, high + margin


class Cutter:
    """Cuts splits into stretches as one forecaster needs them."""

    def __init__(self, spec: ForecasterSpec, low: Values, high: Values, time_zone: str) -> None:
        self._spec, self._low, self._high = spec, low, high
        self._calendar = Calendar(time_zone) if spec.calendar else None

    def learnt(self, splits: Sequence[Split], stretch: int) -> Stretches:
        """Return the stretches to learn from; DataError if there is not one target."""
        return self._cut([(each, 0, each.held_from) for each in splits], stretch, "part learnt from")

    def held_out(self, splits: Sequence[Split], stretch: int) -> Stretches:
        """Return the stretches to validate on, whose burn-in is not held out; DataError if there is not one target."""
        burn_in = self._spec.lookback
        parts = [(each, max(each.held_from - burn_in, 0), len(each.recording.values)) for each in splits]
        return self._cut(parts, stretch, "held-out part")

    def _cut(self, parts: Sequence[tuple[Split, int, int]], stretch: int, where: str) -> Stretches:
        """Cut streams from a row up to another; DataError says where there was nothing to cut."""
        pieces = [
            self._stretches(each.recording, each.scaled[low:high], each.recording.first + low, stretch)
            for each, begin, end in parts
            for low, high in self._unbroken(each.recording.values, begin, end)
        ]
        found = Stretches.concatenate(pieces) if pieces else None
        if found is None or not found.weight.any():
            burn_in = self._spec.lookback
            raise DataError(
                f"{parts[0][0].recording.name}: expected more than {burn_in} slots without a gap of more than "
                f"{burn_in} in the {where} of at least one stream, got none in {len(parts)}"
            )
        return found

    def _unbroken(self, values: Values, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the runs of rows from begin to end that have no gap longer than is bridged."""
        burn_in = self._spec.lookback
        there = begin + np.flatnonzero(np.isfinite(values[begin:end]).any(axis=1))
        for run in np.split(there, np.flatnonzero(np.diff(there) > burn_in + 1) + 1):
            if run.size and run[-1] - run[0] >= burn_in:
                yield int(run[0]), int(run[-1]) + 1

    def _stretches(self, recording: Recording, scaled: Values, first: int, stretch: int) -> Stretches:
        """Cut one unbroken run of scaled values (T, C); its first row is slot number `first`."""
        burn_in, horizon, steps = self._spec.lookback, self._spec.horizon, len(scaled) - 1
        count = -(-(steps - burn_in + 1) // stretch)
        length = burn_in - 1 + stretch
        room = (count - 1) * stretch + length

        last = _filled(scaled[:-1])
        x = self._inputs(last, (first + 1 + np.arange(steps)) * recording.interval_ms)
        ahead = np.full((room + horizon, scaled.shape[1]), np.nan)
        ahead[: steps + 1] = scaled
        target = np.moveaxis(sliding_window_view(ahead[1:], horizon, axis=0), -1, 1)
        weight = np.isfinite(target)

        rows = stretch * np.arange(count)[:, None] + np.arange(length)
        weight = weight[rows] & (np.arange(length) >= burn_in - 1)[:, None, None]
        last, x = (np.pad(each, ((0, room - steps), (0, 0)))[rows].astype(np.float32) for each in (last, x))
        return Stretches(x, last, np.nan_to_num(target[rows]).astype(np.float32), weight.astype(np.float32))

    def _inputs(self, last: Values, next_time: NDArray[np.int64]) -> Values:
        """Return x (T, C') of the last values (T, C) and the times of the slots after them (T,), ms."""
        x = last.clip(self._low, self._high)
        return x if self._calendar is None else np.concatenate([x, self._calendar.inputs(next_time)], axis=1)


def _filled(scaled: Values) -> Values:
    """Return values (T, C) with the last one in place of a missing one, and the mean before the first."""
    there = np.where(np.isfinite(scaled), np.arange(len(scaled))[:, None], 0)
    return np.nan_to_num(np.take_along_axis(scaled, np.maximum.accumulate(there, axis=0), axis=0))
