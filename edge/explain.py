"""Explanations: what a verdict says, in one sentence and as data."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from edge.alarm import Severity
from edge.calendar import zone
from edge.manifest import Channel, Manifest
from edge.reading import Status, Verdicts
from edge.state import SIGNALS

LEAST_SHARE = 0.1  #: a channel that contributed less is left out of the sentence, unless it left its band
_HUGE = 1e7  # greater numbers are written with an exponent
_MOST_DECIMALS = 9  # where more are needed, numbers are written with an exponent
_UNITS = (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48), ("days", 86_400, 60), ("weeks", 604_800, 104))
_YEAR_S = 31_556_952
_MOST_YEARS = 1000

_REASONS = {  # of signals other than the error, which the band tells of
    "sustained": "it has been off for a while",
    "novelty": "it lies outside of all that was seen before",
    "context": "the day before was unlike it at this time",
    "shape": "its course is unlike all that came before",
}

Side = Literal["above", "below", "within", "missing", "learning"]


@dataclass(frozen=True, slots=True)
class Deviation:
    """What one channel was and should have been, in its unit; None where there is no number."""

    channel: str
    unit: str
    actual: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    normal: float | None  #: the nearest value that would have been normal
    share: float | None  #: of the score
    direction: Side  #: of the actual value, seen from its band
    quality: tuple[str, ...] = ()  #: what is wrong with the data, in words

    @property
    def clause(self) -> str:
        """The value beside what was expected, such as "flow 12.4 l/min, expected 3.1 (2.4 to 3.8)"."""
        write = _writer(self.lower, self.upper)
        unit = f" {self.unit}" if self.unit else ""
        flaws = f" [{', '.join(self.quality)}]" if self.quality else ""
        actual = "missing" if self.actual is None else f"{write(self.actual)}{unit}"
        if self.expected is None or self.lower is None or self.upper is None:
            return f"{self.channel} {actual}{flaws}"
        expected = f"expected {write(self.expected)}{unit if self.actual is None else ''}"
        return f"{self.channel} {actual}{flaws}, {expected} ({write(self.lower)} to {write(self.upper)})"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a verdict says; its channels are ordered by their share, the greatest first."""

    time: datetime  #: start of the slot, in the bundle's time zone
    since: datetime | None  #: start of the open alarm
    status: Status
    score: float | None
    severity: Severity | None  #: of the alarm's peak, None where there is neither alarm nor anomaly
    signal: str | None  #: what was most surprising, one of edge.state.SIGNALS
    once_in: str | None  #: how often a score so high comes, such as "once in 40 days"
    ready_in: str | None  #: while learning, such as "about 3 h"
    channels: tuple[Deviation, ...]

    def sentence(self) -> str:
        """Return the explanation in one sentence."""
        learning = f"learning, ready in {self.ready_in}" if self.ready_in else "learning"
        if self.status is Status.LEARNING and self.since is None:
            return f"{learning}."
        clauses = [
            each.clause + self._remark(each, first=at == 0)
            for at, each in enumerate(self.channels)
            if self._tells(each)
        ]
        if self.status is Status.ANOMALY:
            if self.signal in _REASONS:
                clauses.append(_REASONS[self.signal])
            clauses.append(f"so unusual a value comes about {self.once_in}")
        elif self.status is Status.LEARNING:
            clauses.append(f"still {learning}")
        return "; ".join(clauses) + "."

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as a JSON-ready object."""
        return {
            "time": self.time.isoformat(),
            "since": self.since.isoformat() if self.since else None,
            "status": self.status.name.lower(),
            "score": self.score,
            "severity": None if self.severity is None else self.severity.name.lower(),
            "signal": self.signal,
            "once_in": self.once_in,
            "ready_in": self.ready_in,
            "channels": [asdict(each) | {"quality": list(each.quality)} for each in self.channels],
            "sentence": self.sentence(),
        }

    def _tells(self, each: Deviation) -> bool:
        """Whether the sentence names a channel; the first always."""
        return (
            each is self.channels[0]
            or each.direction != "within"
            or bool(each.quality)
            or (self.status is Status.ANOMALY and (each.share or 0) >= LEAST_SHARE)
        )

    def _remark(self, each: Deviation, *, first: bool) -> str:
        """Return what follows a channel's clause: side of the band, since when, share of the deviation."""
        remarks: list[str] = [each.direction] if each.direction in ("above", "below") else []
        if first and self.since is not None:
            since = f"since {_clock(self.since, self.time)}"
            remarks = [" ".join([*remarks, since] if remarks else ["in alarm", since])]
        if len(self.channels) > 1 and self.status is Status.ANOMALY and each.share is not None:
            remarks.append(f"{100 * each.share:.0f} %{' of the deviation' if first else ''}")
        return f": {', '.join(remarks)}" if remarks else ""


def explain(
    verdicts: Verdicts,
    at: int,
    manifest: Manifest,
    *,
    peak: float | None = None,
    ready_in: int | None = None,
    quality: Mapping[str, Sequence[str]] | None = None,
) -> Explanation:
    """Return the explanation of the verdict at a position.

    `peak` is the alarm's highest score, that of the verdict if it is not given; `ready_in` the slots that a learning
    stream still has to see; `quality` says by channel, in words, what is wrong with the data.
    """
    place, score = zone(manifest.time_zone), _number(verdicts.score[at])
    status, alarm, once_in = Status(verdicts.status[at]), int(verdicts.alarm[at]), _number(verdicts.once_in[at])
    deviations = [
        _deviation(verdicts, at, c, channel, tuple((quality or {}).get(channel.name, ())))
        for c, channel in enumerate(manifest.channels)
    ]
    highest = peak if peak is not None else score
    severe = highest is not None and (alarm or status is Status.ANOMALY)
    return Explanation(
        time=_local(int(verdicts.time[at]), place),
        since=_local(alarm, place) if alarm else None,
        status=status,
        score=score,
        severity=Severity.of(highest) if severe and highest is not None else None,
        signal=SIGNALS[verdicts.signal[at]] if verdicts.signal[at] >= 0 else None,
        once_in=None if once_in is None else _once_in(once_in * manifest.interval_ms / 1000),
        ready_in=None if ready_in is None else f"about {duration(ready_in * manifest.interval_ms / 1000)}",
        channels=tuple(sorted(deviations, key=lambda each: -(each.share or 0))),
    )


def duration(seconds: float) -> str:
    """Return a duration in words, in the unit that suits it.

    >>> duration(40 * 86_400), duration(86_400), duration(90)
    ('40 days', '24 h', '90 s')
    """
    for unit, size, most in _UNITS:
        if (count := round(seconds / size)) < most:
            return f"{count} {unit}"
    return f"{seconds / _YEAR_S:.0f} years"


def _once_in(seconds: float) -> str:
    if seconds > _MOST_YEARS * _YEAR_S:
        return f"once in more than {_MOST_YEARS} years"
    return f"once in {duration(seconds)}"


def _deviation(verdicts: Verdicts, at: int, c: int, channel: Channel, quality: tuple[str, ...]) -> Deviation:
    actual, expected = _number(verdicts.value[at, c]), _number(verdicts.expected[at, c])
    lower, upper = _number(verdicts.lower[at, c]), _number(verdicts.upper[at, c])
    side: Side = "within"
    normal = expected if actual is None else actual
    if lower is None or upper is None:
        side, normal = "learning", None
    elif actual is None:
        side = "missing"
    elif actual > upper:
        side, normal = "above", upper
    elif actual < lower:
        side, normal = "below", lower
    share = _number(verdicts.share[at, c])
    return Deviation(channel.name, channel.unit, actual, expected, lower, upper, normal, share, side, quality)


def _number(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _local(time_ms: int, place: tzinfo) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(place)


def _clock(since: datetime, now: datetime) -> str:
    """Return a time of day with its zone, and its date if that is another."""
    day = "" if since.date() == now.date() else f"{since:%Y-%m-%d} "
    return f"{day}{since:%H:%M %Z}"


def _writer(lower: float | None, upper: float | None) -> Callable[[float], str]:
    """Return how to write a channel's numbers: with as many decimals as tell values within its band apart."""
    width = 0.0 if lower is None or upper is None else upper - lower
    decimals = max(1 - math.floor(math.log10(width)), 0) if width > 0 else None

    def write(number: float) -> str:
        if decimals is None or decimals > _MOST_DECIMALS or abs(number) >= _HUGE:
            return f"{number:.6g}"
        return f"{round(number, decimals) + 0.0:.{decimals}f}"

    return write
