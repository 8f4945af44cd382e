"""From scores to alarms: one event gives one alarm, with a start, an end and a severity."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, Self, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from edge import across
from edge.errors import ConfigError
from edge.reading import Change
from edge.state import Records

_MOST_SLOTS = 32  # the record keeps one bit a slot
_LEAST_LEVEL_AFTER = 8  # fewer slots say little of a level

Direction = Literal["above", "below", "both"]
LevelRule = Literal["never", "confirm", "sustained"]
_T = TypeVar("_T")


class Severity(IntEnum):
    """How far an alarm's peak score lies beyond the limit."""

    MINOR = 0
    MAJOR = 1  #: from twice the limit
    CRITICAL = 2  #: from four times the limit

    @classmethod
    def of(cls, peak: float) -> Self:
        """Return the severity of a peak score.

        >>> Severity.of(2.5).name
        'MAJOR'
        """
        return cls((peak >= 2.0) + (peak >= 4.0))


@dataclass(frozen=True, slots=True)
class AlarmPolicy:
    """When an alarm opens and closes, which deviations count, and what becomes of a new level.

    An alarm opens when `k` of the last `n` scores reached 1.0. It closes when `recovery` slots in a row scored below
    `release`, and after that none opens for `cool_down` slots. Within `rest` slots of an opening only a score higher
    than all scores since opens another. `k` to `cool_down` and `rest` are in slots, `release` is a share of the limit.

    A deviation counts in its `direction`, if it is at least `least_absolute` (in the channel's unit) and
    `least_relative` (a share of the expected value's size). Each is given for all channels, or by channel name, where
    a channel not named has the default.

    A level that stays beyond the band for `level_after` slots becomes normal `never`, once the user has confirmed it,
    or by itself when it was `sustained`.
    """

    k: int = 1
    n: int = 1
    recovery: int = 6
    cool_down: int = 12
    release: float = 0.85
    rest: int = 0
    direction: Direction | Mapping[str, Direction] = "both"
    least_absolute: float | Mapping[str, float] = 0.0
    least_relative: float | Mapping[str, float] = 0.0
    level: LevelRule = "confirm"
    level_after: int = 100

    def __post_init__(self) -> None:
        _expect(1 <= self.k <= self.n <= _MOST_SLOTS, f"1 <= k <= n <= {_MOST_SLOTS}", f"k={self.k}, n={self.n}")
        _expect(self.recovery >= 1, "recovery of at least 1", self.recovery)
        _expect(self.cool_down >= 0, "cool_down of at least 0", self.cool_down)
        _expect(0 < self.release <= 1, "release above 0 and at most 1", self.release)
        _expect(self.rest >= 0, "rest of at least 0", self.rest)
        for direction in _each(self.direction):
            _expect(direction in get_args(Direction), "direction above, below or both", repr(direction))
        for name in ("least_absolute", "least_relative"):
            for least in _each(getattr(self, name)):
                _expect(0 <= least < float("inf"), f"{name} of at least 0", least)
        _expect(self.level in get_args(LevelRule), "level never, confirm or sustained", repr(self.level))
        _expect(
            self.level_after >= _LEAST_LEVEL_AFTER, f"level_after of at least {_LEAST_LEVEL_AFTER}", self.level_after
        )

    def advance(self, records: Records, score: NDArray[np.float32], time: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Take one slot of each stream into its alarm state and return the Change (n,) it made.

        `score` (n,) is that of the deviations that count, 0 while learning; `time` (n,) is the slots' start, ms.
        """
        change = np.zeros(len(records), np.uint8)
        anomalous = score >= 1.0
        if self.n > 1:
            window = np.uint32((1 << self.n) - 1)
            records["recent"] = ((records["recent"] << np.uint32(1)) | anomalous) & window
        raised, is_open = anomalous.nonzero()[0], records["alarm"].nonzero()[0]
        opens = raised
        if raised.size:
            opens = raised[self._may_open(records.take(raised), score[raised])]
            records["peak"][raised] = np.maximum(records["peak"][raised], score[raised])
        for name in ("cooling", "rest"):
            going = records[name].nonzero()[0]
            if going.size:
                records[name][going] -= 1
        if is_open.size:
            calm = (records["calm"][is_open] + 1) * (score[is_open] < self.release)
            records["calm"][is_open] = calm
            closes = is_open[calm >= self.recovery]
            self.close(records, closes)
            change[closes] = Change.CLOSED
        if opens.size:
            records["alarm"][opens] = time[opens]
            records["peak"][opens] = score[opens]
            records["rest"][opens] = self.rest
            records["calm"][opens] = 0
            change[opens] = Change.OPENED
        return change

    def _may_open(self, records: Records, score: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which of the records (m,), whose scores (m,) reached 1.0, begin an alarm."""
        company = across.ones(records["recent"]) >= self.k if self.n > 1 else True
        free = (records["alarm"] == 0) & (records["cooling"] == 0)
        higher = (records["rest"] == 0) | (score > records["peak"])
        may: NDArray[np.bool_] = free & higher & company
        return may

    def close(self, records: Records, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> None:
        """End the open alarms of the chosen records, which then cool down."""
        records["alarm"][chosen] = 0
        records["recent"][chosen] = 0
        records["confirmed"][chosen] = 0
        records["cooling"][chosen] = self.cool_down


def _each(setting: _T | Mapping[str, _T]) -> list[_T]:
    return list(setting.values()) if isinstance(setting, Mapping) else [setting]


def _expect(holds: bool, expected: str, got: object) -> None:
    if not holds:
        raise ConfigError(f"alarm: expected {expected}, got {got}")
