"""Times as text, as they leave the system."""

from datetime import UTC, datetime


def iso(time_ms: int) -> str:
    """Return a time in UTC epoch milliseconds as ISO 8601.

    >>> iso(1_700_000_000_250)
    '2023-11-14T22:13:20.250Z'
    """
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(time_ms: int | None) -> str | None:
    """Return a time as iso() does, None of none."""
    return None if time_ms is None else iso(time_ms)
