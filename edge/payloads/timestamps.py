"""Times as devices write them: epochs of any unit and ISO 8601, to UTC epoch milliseconds."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from edge.align import EARLIEST, LATEST
from edge.payloads.rejects import Reason, RejectError

MOST_STREAMS = 100_000  #: whose unit is remembered
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)
SURE = 978_307_200_000  #: 2001; below, a device may count from when it was switched on
_NUMBERS = frozenset({int, float})


class _Unit(NamedTuple):
    name: str
    below: float  #: numbers from here on are of the next unit
    ms: Callable[[float], int]


_MS = _Unit("ms", 10**14, round)
_UNITS = (
    _Unit("s", 10**11, lambda raw: round(raw * 1000)),
    _MS,
    _Unit("us", 10**17, lambda raw: int(raw // 1000)),
    _Unit("ns", 10**20, lambda raw: int(raw // 1_000_000)),
)


class Timestamps:
    """Reads the times of one source.

    ISO times without an offset are of its zone, the first of two where a clock is set back. Epochs are in s, ms, us
    or ns, told by their magnitude; a stream's are of one unit, so one of another is a reject.
    """

    def __init__(self, time_zone: str = "UTC") -> None:
        self._zone: tzinfo = UTC if time_zone == "UTC" else ZoneInfo(time_zone)
        self._units: dict[str, str] = {}  # by stream

    def ms(self, raw: object, stream: str) -> int:
        """Return a time of a stream as UTC epoch milliseconds; RejectError if it is none."""
        if isinstance(raw, str):
            return within(_from_iso(raw, self._zone), raw)
        unit, time = _from_number(raw)
        self._pin(stream, unit, time)
        return time

    def all_ms(self, raw: Sequence[Any], stream: str) -> list[int]:
        """Return what ms() says of each."""
        kinds = set(map(type, raw))
        if not kinds or not kinds <= _NUMBERS:
            return [self.ms(each, stream) for each in raw]
        (unit, first), (other, _) = _from_number(min(raw)), _from_number(max(raw))
        self._pin(stream, unit, first)
        if unit is not other:
            raise RejectError(
                Reason.UNIT, f"expected epochs of one unit, got some in {unit.name}, some in {other.name}"
            )
        return list(raw) if unit is _MS and float not in kinds else list(map(unit.ms, raw))

    def steps_ms(self, first: object, step: object, count: int, stream: str) -> list[int]:
        """Return times from a first one on; the step is in the unit of that, in seconds after an ISO time."""
        if isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step < _UNITS[-1].below:
            raise RejectError(Reason.TIME, f"expected a positive number as the step of times, got {_shown(step)}")
        if not count:
            return []
        if isinstance(first, str):
            begin = self.ms(first, stream)
            times = [begin + round(1000 * step * k) for k in range(count)]
        else:
            unit, begin = _from_number(first)
            self._pin(stream, unit, begin)
            times = [unit.ms(first + step * k) for k in range(count)]  # type: ignore[operator]  # it is a number
        within(times[-1], step)
        return times

    def are_ms(self, streams: Sequence[str]) -> bool:
        """Take note that epochs of streams are in milliseconds, of 2001 or later; False if any stream's were not."""
        known = [self._units.get(stream) for stream in streams]
        if known.count(_MS.name) == len(known):
            return True
        if not {*known} <= {_MS.name, None}:
            return False
        for stream in streams:
            self._pin(stream, _MS, SURE)
        return True

    def _pin(self, stream: str, unit: _Unit, time: int) -> None:
        """Remember the unit of a stream's epochs; RejectError if it was another."""
        known = self._units.get(stream)
        if known is None:
            if time >= SURE and len(self._units) < MOST_STREAMS:
                self._units[stream] = unit.name
        elif known != unit.name:
            raise RejectError(Reason.UNIT, f"expected epochs in {known}, as before, got one in {unit.name}")


def epoch_ms(raw: object) -> int:
    """Return a time as UTC epoch milliseconds; RejectError if it is none.

    A number is an epoch in seconds, ms, us or ns, told by its magnitude, which is unambiguous from 1973 on. An ISO
    time without an offset is UTC.

    >>> epoch_ms(1_700_000_000), epoch_ms(1_700_000_000_250), epoch_ms("2023-11-14T23:13:20+01:00")
    (1700000000000, 1700000000250, 1700000000000)
    """
    return within(_from_iso(raw, UTC), raw) if isinstance(raw, str) else _from_number(raw)[1]


def _from_iso(raw: str, zone: tzinfo) -> int:
    try:
        # fromisoformat alone would take bare dates, weeks and '17000101'
        time = datetime.fromisoformat(raw if _ISO.fullmatch(raw) else "")
        return ((time if time.tzinfo else time.replace(tzinfo=zone)) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError) as error:
        raise RejectError(Reason.TIME, f"expected a time such as 2024-05-01T12:00:00Z, got {_shown(raw)}") from error


def _from_number(raw: Any) -> tuple[_Unit, int]:
    if type(raw) not in _NUMBERS:
        raise RejectError(Reason.TIME, f"expected an epoch or an ISO 8601 time, got {_shown(raw)}")
    for unit in _UNITS:
        if raw < unit.below:
            return unit, within(unit.ms(raw) if raw > 0 else 0, raw)
    return _UNITS[-1], within(LATEST, raw)


def within(time: int, raw: object) -> int:
    """Return a time (UTC epoch, ms) that a set clock may show; RejectError, with what was given, for any other."""
    if not EARLIEST <= time < LATEST:
        raise RejectError(Reason.TIME, f"expected a time from 1970-01-02 to 2099, got {_shown(raw)}")
    return time


def _shown(raw: object) -> str:
    try:
        return repr(raw)[:64]
    except ValueError:  # an integer of thousands of digits
        return "a number of thousands of digits"
