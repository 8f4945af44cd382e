"""Validity: what the fields of a manifest may be, whoever wrote it.

A seal proves that a manifest was not damaged, not that it makes sense: one that came from elsewhere must not stop a
program half-way, and a number that is none would keep an engine silent for ever.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.calendar import zone
from edge.errors import ConfigError
from edge.state import SIGNALS

if TYPE_CHECKING:
    from edge.manifest import Manifest

_TEXTS = ("name", "version", "created", "time_zone", "budget")
_MAPPINGS = ("spec", "metrics", "data", "exports")
_MOST = 2**31 - 1
#: the least and the greatest that whole numbers may be
_WHOLE: Mapping[str, tuple[int, int]] = {
    "interval_ms": (1, _MOST),
    "horizon": (1, _MOST),
    "memory": (0, 1 << 20),
    "burn_in": (0, _MOST),
    "max_gap": (0, _MOST),
    "day_bins": (0, 24 * 60),
    "segments": (0, 1 << 16),
    "sustained": (1, _MOST),
    "layout_version": (0, _MOST),
}
_MOST_SPREAD = 1e30  #: scaled; single precision holds it
_COLUMNS = ("location", "scale", "spread", "least", "most")


def check(manifest: "Manifest") -> None:
    """Raise ConfigError, which names the field, unless every field is what it may be."""
    for name in _TEXTS:
        _expect(name, "text", getattr(manifest, name), isinstance(getattr(manifest, name), str))
    for name in _MAPPINGS:
        _expect(name, "names with their values", getattr(manifest, name), isinstance(getattr(manifest, name), Mapping))
    for name, (least, most) in _WHOLE.items():
        _whole(name, getattr(manifest, name), least, most)
    _expect("calendar", "true or false", manifest.calendar, isinstance(manifest.calendar, bool))
    zone(manifest.time_zone)
    _check_channels(manifest)
    _check_scaling(manifest)
    _check_reference(manifest)
    _check_tail(manifest)


def _check_channels(manifest: "Manifest") -> None:
    names = [each.name for each in manifest.channels]
    distinct = bool(names) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    _expect("channels", "at least one, each with a name of its own", names, distinct)
    for each in manifest.channels:
        _expect(f"channels: {each.name}: unit", "text", each.unit, isinstance(each.unit, str))
        _expect(f"channels: {each.name}: counter", "true or false", each.counter, isinstance(each.counter, bool))


def _check_scaling(manifest: "Manifest") -> None:
    scaling, count = manifest.scaling, len(manifest.channels)
    for name in ("low", "high", "spread"):
        _finite(f"scaling.{name}", getattr(scaling, name), count)
    _expect("scaling.low", "numbers below those of scaling.high", scaling.low, _below(scaling.low, scaling.high))
    _expect("scaling.spread", "numbers from 0 to 1e30", scaling.spread, _are_spreads(scaling.spread))
    for stream, known in scaling.streams.items():
        columns = [getattr(known, name) for name in _COLUMNS]
        sound = all(len(each) == count for each in columns) and bool(np.isfinite(columns).all())
        sound = sound and min(known.scale) > 0 and _are_spreads(known.spread)
        _expect(f"scaling.streams: {stream}", f"{count} finite numbers each, a scale above 0", known, sound)


def _check_reference(manifest: "Manifest") -> None:
    reference = manifest.reference
    for name in ("typical", "rare", "rate", "excess"):
        numbers = getattr(reference, name)
        _finite(f"reference.{name}", numbers, len(SIGNALS))
        _expect(f"reference.{name}", "numbers of at least 0", numbers, min(numbers) >= 0)
    _expect("reference.rate", "shares above 0", reference.rate, 0 < min(reference.rate) <= max(reference.rate) <= 1)


def _check_tail(manifest: "Manifest") -> None:
    tail = manifest.tail
    _whole("tail.count", tail.count, 1, _MOST)
    _whole("tail.exceeding", tail.exceeding, 1, tail.count)
    _finite("tail", (tail.threshold, tail.mean_excess), 2)
    _expect("tail.mean_excess", "a number above 0", tail.mean_excess, tail.mean_excess > 0)


def _whole(name: str, value: object, least: int, most: int) -> None:
    _expect(name, f"a whole number from {least} to {most}", value, type(value) is int and least <= value <= most)


def _finite(name: str, numbers: Iterable[object], count: int) -> None:
    given = tuple(numbers)
    sound = len(given) == count and all(type(each) in (int, float) and math.isfinite(each) for each in given)  # type: ignore[arg-type]
    _expect(name, f"{count} finite numbers", given, sound)


def _are_spreads(numbers: Sequence[float]) -> bool:
    return min(numbers) >= 0 and max(numbers) <= _MOST_SPREAD


def _below(low: Iterable[float], high: Iterable[float]) -> bool:
    return all(one < other for one, other in zip(low, high, strict=True))


def _expect(name: str, expected: str, got: Any, holds: bool) -> None:
    if not holds:
        raise ConfigError(f"{name}: expected {expected}, got {repr(got)[:80]}")
