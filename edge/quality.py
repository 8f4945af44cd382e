"""Data quality: what is wrong with the sensor rather than with what it measures.

Each channel of a slot gets flags, apart from the score. A channel with a flag (but CLOCK) is unclean: it is
neither scored nor learnt from. What is usual is learnt from clean slots only and forgotten slowly; each limit
is that times a margin, and nothing but the range is judged in a stream's first slots. A level that the user has
confirmed is not taken for another unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from edge import across, conversions
from edge.across import some, some_number
from edge.manifest import Channel
from edge.state import NEVER, Records

LEAST_SLOTS = 16  #: with a clean value, before anything but the range is judged
LEAST_MOVES = 16  #: values that differed from the one before; fewer, and a channel may well be constant
MARGIN_SILENT, MARGIN_STUCK = 3.0, 2.0  #: times what is usual
SPARE_SILENT, SPARE_STUCK = 2, 5  #: slots on top
FAR = 6.0  #: usual differences that a leap of the value is at least
FAR_SCALES = 3.0  #: and so many of the channel's scale
MOST_SURPRISE = 3.0  #: usual differences that one counts as, at most
MOST_FLIPS = 5  #: leaps back within eight slots
_RHYTHM_SLOTS, _RUNS, _PACE_SLOTS = 512, 256, 512  # what the learnt numbers forget over
_FADING_RHYTHM, _FADING_RUNS = np.array(1 - 1 / _RHYTHM_SLOTS, np.float32), np.array(1 - 1 / _RUNS, np.float32)
_FIRST, _PACE = np.array(1, np.uint32), np.array(_PACE_SLOTS, np.uint32)
_ONE_SLOT, _NO_MOVE = np.array(1, np.float32), np.array(0.0)
_FAR, _MOST = np.array(FAR, np.float32), np.array(MOST_SURPRISE, np.float32)
_FAR_SCALES, _MOST_SCALES, _FASTEST = np.array(FAR_SCALES), np.array(0.01), np.array(1e30)


class Quality(IntFlag):
    """What is wrong with a channel in a slot."""

    SILENT = 1  #: nothing has come for longer than is usual; said once
    STUCK = 2  #: the same value for longer than is usual, while it should move
    RANGE = 4  #: outside of the physical range
    RESET = 8  #: the counter has begun again
    CLOCK = 16  #: a reading before was dropped, as its time was wrong; the value itself is clean
    UNIT = 32  #: the value has been multiplied as by another unit
    FLAPPING = 64  #: leaps to and fro between far-apart values


UNCLEAN = np.uint8(~Quality.CLOCK & 0xFF)
_NOT_HELD = np.uint8(UNCLEAN & ~Quality.FLAPPING & 0xFF)  # what flaps is compared with the value before


def words(flags: int) -> str:
    """Return flags as text, empty where there are none.

    >>> words(Quality.STUCK | Quality.CLOCK)
    'stuck+clock'
    """
    return "+".join(str(flag.name).lower() for flag in Quality if flags & flag)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found of n slots; `unit` and `leap` are None where no value has leapt."""

    here: NDArray[np.bool_]  #: (n, C) whether there is a value
    heard: NDArray[np.bool_]  #: (n, C) whether there was a value before
    size: NDArray[np.float64]  #: (n, C) what the value differs by from the last clean one; NaN where nothing came
    same: NDArray[np.bool_]  #: (n, C) whether it does not differ
    flags: NDArray[np.uint8]  #: (n, C)
    clean: NDArray[np.bool_]  #: (n, C) whether there is a value that can be scored and learnt from
    covered: NDArray[np.bool_]  #: (n,) whether any channel is clean
    unit: NDArray[np.uint8] | None  #: (n, C) conversion that the value looks like; 0 is none
    leap: NDArray[np.int8] | None  #: (n, C) direction of a far leap of the value; 0 where there is none


def patience(records: Records) -> NDArray[np.int64]:
    """Return after how many slots without a value each channel is silent (n, C)."""
    slots: NDArray[np.int64] = np.multiply(records["rhythm"], MARGIN_SILENT).astype(np.int64)
    slots += SPARE_SILENT
    return slots


def silent_at(records: Records) -> NDArray[np.int64]:
    """Return the slot (n,) at which the next channel falls silent if nothing comes; the last slot of all if none."""
    waits = (records["heard"] != NEVER) & (records["silent"] == 0) & (records["watched"] >= LEAST_SLOTS)[:, None]
    slot = np.where(waits, records["heard"], 0) + patience(records)
    soonest: NDArray[np.int64] = np.where(waits, slot, np.iinfo(np.int64).max).min(axis=1)
    return soonest


class Inspector:
    """Finds what is wrong with slots, and learns what is usual."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._low, self._high = np.array([channel.range for channel in channels]).T
        self._has_range = bool(np.isfinite([self._low, self._high]).any())

    def inspect(
        self, value: NDArray[np.float64], slot: NDArray[np.int64], records: Records, scale: NDArray[np.float64]
    ) -> Inspection:
        """Return what is wrong with the values (n, C), NaN where nothing came, of slots (n,).

        `scale` (n, C) is that of the channels, as it is known so far.
        """
        flags = records["open_flaw"].copy()
        unit = leap = None
        move = value - records["held"]
        absent = np.isnan(move)
        heard = records["heard"] != NEVER
        known = heard & (records["watched"] >= LEAST_SLOTS)[:, None]
        if self._has_range:
            flags |= ((value < self._low) | (value > self._high)) * np.uint8(Quality.RANGE)
        if some(absent):
            waited = slot[:, None] - np.where(known, records["heard"], slot[:, None])
            falls = absent & known & (records["silent"] == 0) & (waited >= patience(records))
            flags |= falls * np.uint8(Quality.SILENT)
        size, same = np.abs(move), move == _NO_MOVE
        if some(same):
            flags |= (known & _is_stuck(same, absent, records)) * np.uint8(Quality.STUCK)
        far = known & (size > np.maximum(_FAR * records["pace"], _FAR_SCALES * scale))
        if some(far) or some_number(records["unit_run"]) or some_number(records["flips"]):
            told = known & ~absent & (records["confirmed"] == 0)[:, None]
            unit = np.where(told, conversions.find(value, records), np.uint8(0))
            flags |= (conversions.is_sustained(unit, records) & (unit > 0)) * np.uint8(Quality.UNIT)
            leap = (np.sign(np.where(absent, 0.0, move)) * far).astype(np.int8)
            flags |= (across.ones(_flips(leap, records)) >= MOST_FLIPS) * np.uint8(Quality.FLAPPING)
        here = clean = ~absent
        if some_number(flags):
            clean = here & ((flags & UNCLEAN) == 0)
        return Inspection(here, heard, size, same, flags, clean, across.any_of(clean), unit, leap)

    def learn(
        self,
        value: NDArray[np.float64],
        slot: NDArray[np.int64],
        found: Inspection,
        records: Records,
        scale: NDArray[np.float64],
    ) -> None:
        """Take the values (n, C) of slots (n,) into what is usual for their channels, whose `scale` is (n, C)."""
        holds = here = found.here
        flagged, slots = some_number(found.flags), slot[:, None]
        if flagged or some_number(records["silent"]):
            records["silent"] |= found.flags & np.uint8(Quality.SILENT)
            records["silent"][here] = 0
        usable = found.clean & found.heard
        _learn_rhythm(here & found.heard, slots, records)
        _learn_runs(found.same, found.heard, usable, records)
        _learn_pace(found.size, usable, records, scale)
        if found.leap is not None:
            records["flips"] = _flips(found.leap, records)
            np.copyto(records["side"], found.leap, where=found.leap != 0)
        if flagged:
            holds = here & ((found.flags & _NOT_HELD) == 0)
        if found.unit is not None:
            conversions.learn(found.unit, here, records)
            holds = holds & (found.unit == 0)
        np.copyto(records["held"], value, where=holds)
        np.copyto(records["heard"], slots, where=here)
        records["watched"] += found.covered


def _is_stuck(same: NDArray[np.bool_], absent: NDArray[np.bool_], records: Records) -> NDArray[np.bool_]:
    """Tell which channels (n, C) repeat their value for too long; where there are others, while one of them moves."""
    stuck = same & (records["run"] + 1 > MARGIN_STUCK * records["longest"] + SPARE_STUCK)
    stuck &= records["moves"] >= LEAST_MOVES
    if same.shape[1] > 1:
        stuck &= across.any_of(~same & ~absent)[:, None]
    result: NDArray[np.bool_] = stuck
    return result


def _flips(leap: NDArray[np.int8], records: Records) -> NDArray[np.uint8]:
    """Return the history of leaps back (n, C), one bit a slot, with this slot in it."""
    back = (leap != 0) & (leap == -records["side"])
    flips: NDArray[np.uint8] = (records["flips"] << np.uint8(1)) | back
    return flips


def _learn_rhythm(here: NDArray[np.bool_], slots: NDArray[np.int64], records: Records) -> None:
    faded = np.maximum(records["rhythm"] * _FADING_RHYTHM, _ONE_SLOT)
    paused = here & (records["heard"] != slots - 1)
    if some(paused):
        distance = np.where(paused, slots - np.where(paused, records["heard"], 0), 0)
        faded = np.maximum(np.minimum(distance, 2 * patience(records)), faded)  # one long silence is not yet usual
    np.copyto(records["rhythm"], faded, where=here, casting="same_kind")


def _learn_runs(same: NDArray[np.bool_], heard: NDArray[np.bool_], usable: NDArray[np.bool_], records: Records) -> None:
    ends = usable & ~same
    run, longest = records["run"], records["longest"]
    if some_number(run) or some_number(longest):
        most = np.where(records["moves"] < LEAST_MOVES, np.inf, 2 * (MARGIN_STUCK * longest + SPARE_STUCK))
        usual = np.minimum(run, most)  # one long standstill is not yet usual, once it would be told of
        faded = np.maximum(usual, longest * _FADING_RUNS)
        np.copyto(longest, faded, where=ends, casting="same_kind")
        run[ends] = 0
    if some(same):
        run += heard & same
    few = records["moves"] < 255
    if some(few):
        records["moves"] += ends & few


def _learn_pace(
    size: NDArray[np.float64], usable: NDArray[np.bool_], records: Records, scale: NDArray[np.float64]
) -> None:
    watched, pace = records["watched"][:, None], records["pace"]
    most = np.maximum(_MOST * pace, _MOST_SCALES * scale)
    young = watched < LEAST_SLOTS
    if some(young):
        most = np.where(young, np.inf, most)
    step = (np.minimum(size, most) - pace) / np.minimum(np.maximum(watched, _FIRST), _PACE)
    np.copyto(pace, np.minimum(pace + step, _FASTEST), where=usable, casting="same_kind")
