"""The manifest: what a bundle says of itself, as plain JSON."""

import json
import math
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from edge.errors import BundleError, ConfigError
from edge.limits import Tail
from edge.surprise import Reference
from edge.validity import check

SCHEMA = 1
AGGREGATES = ("first", "last", "mean", "min", "max", "sum")
GAPS = ("forecast", "hold", "mask")


@dataclass(frozen=True, slots=True)
class Channel:
    """A sensor within a stream, how its readings fill a slot, and what is done where they are missing."""

    name: str
    unit: str = ""
    aggregate: str = "first"  #: one of AGGREGATES
    counter: bool = False  #: readings are a running total, of which the rate per second is watched
    gap: str = "forecast"  #: one of GAPS: what the forecaster is fed where a clean value is missing
    least: float | None = None  #: physical range, in units of what is watched; None where there is no bound
    most: float | None = None

    def __post_init__(self) -> None:
        for what, word, known in (("aggregate", self.aggregate, AGGREGATES), ("gap", self.gap, GAPS)):
            if word not in known:
                raise ConfigError(f"channel {self.name}: {what}: expected one of {', '.join(known)}, got {word!r}")
        low, high = self.range
        if not low < high:
            raise ConfigError(f"channel {self.name}: expected a range from least to most, got {low:g} to {high:g}")

    @property
    def range(self) -> tuple[float, float]:
        """Return the least and the greatest value that the sensor can measure, infinite where there is no bound."""
        return (
            -math.inf if self.least is None else float(self.least),
            math.inf if self.most is None else float(self.most),
        )


@dataclass(frozen=True, slots=True)
class StreamScaling:
    """What the bundle knows of one stream it was trained on; one number a channel."""

    location: tuple[float, ...]
    scale: tuple[float, ...]
    spread: tuple[float, ...]  #: mean absolute scaled error over its unit
    least: tuple[float, ...]  #: scaled value that was seen
    most: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scaling:
    """How values become the forecaster's inputs; one number a channel."""

    low: tuple[float, ...]  #: inputs are held to low..high, the scaled range it was trained on
    high: tuple[float, ...]
    spread: tuple[float, ...]  #: where a stream that the bundle does not know begins
    streams: dict[str, StreamScaling] = field(default_factory=dict)
    fixed: bool = False  #: values are taken as they are, in every stream; else a stream not known learns its own

    def of(self, name: str) -> StreamScaling | None:
        """Return a stream's scaling, or None if it has to learn one."""
        if self.fixed and name not in self.streams:
            zeros, ones = (0.0,) * len(self.spread), (1.0,) * len(self.spread)
            return StreamScaling(zeros, ones, self.spread, zeros, ones)
        return self.streams.get(name)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the bundle."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is needed to run and to judge a bundle, apart from its files' bytes."""

    name: str
    version: str
    created: str  #: ISO 8601, UTC
    spec: dict[str, Any]  #: the ForecasterSpec that was trained
    channels: tuple[Channel, ...]
    interval_ms: int
    time_zone: str  #: IANA name
    calendar: bool  #: whether the calendar inputs follow the channels in x
    horizon: int
    memory: int  #: S, numbers of forecaster memory a stream
    burn_in: int  #: slots that fill the memory before a verdict is given
    max_gap: int  #: missing slots that are bridged; after more the memory starts anew
    budget: str
    scaling: Scaling
    day_bins: int  #: of the day that is remembered, 0 for none; see edge/day.py
    segments: int  #: of the course that is remembered, 0 for none; see edge/shape.py
    sustained: int  #: slots of the running mean that is the sustained error; see edge/signals.py
    reference: Reference
    tail: Tail
    layout_version: int
    layout: list[list[Any]]  #: of the state record
    metrics: dict[str, float]
    data: dict[str, Any]  #: what it was trained on: fingerprint, rows, period
    exports: dict[str, Any] = field(default_factory=dict)  #: what became of TFLite and int8; see models/README.md
    files: dict[str, FileEntry] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def created_ms(self) -> int:
        """Return when the bundle was made, UTC epoch ms; 0 if it does not say."""
        try:
            return int(1000 * datetime.fromisoformat(self.created).timestamp())
        except (ValueError, OverflowError):
            return 0

    @property
    def inputs(self) -> int:
        """Return C', the width of x."""
        return len(self.channels) + (4 if self.calendar else 0)

    def to_json(self) -> bytes:
        """Return the manifest as it is stored."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a stored manifest; BundleError if it is none or of a newer schema."""
        try:
            raw = json.loads(data)
            if raw["schema"] != SCHEMA:
                raise BundleError(f"manifest.json: schema: expected {SCHEMA}, got {raw['schema']!r}")
            raw["channels"] = tuple(Channel(**c) for c in raw["channels"])
            raw["scaling"] = _scaling(raw["scaling"])
            raw["tail"] = Tail(**raw["tail"])
            raw["reference"] = Reference(**{name: tuple(each) for name, each in raw["reference"].items()})
            raw["files"] = {name: FileEntry(**entry) for name, entry in raw["files"].items()}
            manifest = cls(**raw)
            check(manifest)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError) as error:
            raise BundleError(f"manifest.json: expected the fields of schema {SCHEMA}, got: {error}") from error
        return manifest


def _scaling(raw: dict[str, Any]) -> Scaling:
    def columns(part: dict[str, Any]) -> dict[str, tuple[float, ...]]:
        return {name: tuple(map(float, numbers)) for name, numbers in part.items()}

    streams = {name: StreamScaling(**columns(part)) for name, part in raw.pop("streams").items()}
    fixed = bool(raw.pop("fixed", False))
    return Scaling(**columns(raw), streams=streams, fixed=fixed)
