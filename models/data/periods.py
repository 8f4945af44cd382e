"""Periods: stretches of time that are named on the command line or in a file, such as maintenance."""

import csv
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from edge.calendar import zone
from edge.errors import ConfigError, DataError


@dataclass(frozen=True, slots=True)
class Period:
    """From a time up to, not including, another; both UTC epoch milliseconds."""

    start_ms: int
    end_ms: int
    stream: str | None = None  #: the only one it is about; None: all
    label: str = ""  #: what it was

    def __post_init__(self) -> None:
        if self.end_ms <= self.start_ms:
            raise ConfigError("expected an end after the start, got one before it or the same")


def parse_moment(text: str, time_zone: str) -> int:
    """Return a time such as '2024-05-01T06:30' in UTC epoch milliseconds; without an offset it is of the zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(f"expected a time such as '2024-05-01T06:30', got {text!r}") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone(time_zone))).timestamp() * 1000)


def parse_period(text: str, time_zone: str, stream: str | None = None) -> Period:
    """Return a period written START/END; ConfigError if it is none.

    >>> parse_period("1970-01-01T00:00:01/1970-01-01T00:00:02", "UTC")
    Period(start_ms=1000, end_ms=2000, stream=None, label='')
    """
    start, slash, end = text.partition("/")
    if not slash:
        raise ConfigError(f"expected START/END such as '2024-05-01T06:30/2024-05-01T08:00', got {text!r}")
    return Period(parse_moment(start, time_zone), parse_moment(end, time_zone), stream)


def read_periods(path: Path, time_zone: str) -> list[Period]:
    """Read a CSV file with the columns start, end, perhaps label, and, where a period is of one stream only, stream."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if missing := {"start", "end"} - set(rows.fieldnames or ()):
                got = ", ".join(map(repr, rows.fieldnames or ())) or "nothing"
                raise DataError(f"{path}: expected the columns start and end, got {got} without {min(missing)!r}")
            return [_period(path, number, row, time_zone) for number, row in enumerate(rows, 1)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: expected a CSV file of periods, got: {error}") from error


def _period(path: Path, number: int, row: dict[str, str | None], time_zone: str) -> Period:
    try:
        period = parse_period(f"{row['start'] or ''}/{row['end'] or ''}", time_zone, row.get("stream") or None)
        return replace(period, label=row.get("label") or "")
    except ConfigError as error:
        raise DataError(f"{path}: row {number}: {error}") from error
