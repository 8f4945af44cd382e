"""Times as devices write them: epochs of any unit and ISO 8601, to UTC epoch milliseconds."""

import re
from datetime import UTC, datetime, timedelta

from edge.align import EARLIEST, LATEST
from service.rejects import Reason, RejectError

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)
_SECONDS_BELOW, _MILLISECONDS_BELOW, _MICROSECONDS_BELOW = 10**11, 10**14, 10**17


def epoch_ms(raw: object) -> int:
    """Return a time as UTC epoch milliseconds; RejectError if it is none.

    A number is an epoch in seconds, ms, us or ns, told by its magnitude, which is unambiguous from 1973 on. An ISO
    time without an offset is UTC.

    >>> epoch_ms(1_700_000_000), epoch_ms(1_700_000_000_250), epoch_ms("2023-11-14T23:13:20+01:00")
    (1700000000000, 1700000000250, 1700000000000)
    """
    if isinstance(raw, str):
        time = _from_iso(raw)
    elif isinstance(raw, int | float) and not isinstance(raw, bool):
        time = _from_number(raw)
    else:
        raise RejectError(Reason.TIME, f"expected an epoch or an ISO 8601 time, got {_shown(raw)}")
    if not EARLIEST <= time < LATEST:
        raise RejectError(Reason.TIME, f"expected a time from 1970-01-02 to 2099, got {_shown(raw)}")
    return time


def _from_iso(raw: str) -> int:
    try:
        # fromisoformat alone would take bare dates, weeks and '17000101'
        time = datetime.fromisoformat(raw if _ISO.fullmatch(raw) else "")
        return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError) as error:
        raise RejectError(Reason.TIME, f"expected a time such as 2024-05-01T12:00:00Z, got {_shown(raw)}") from error


def _from_number(raw: float) -> int:
    if raw < _SECONDS_BELOW:
        return round(raw * 1000)
    if raw < _MILLISECONDS_BELOW:
        return round(raw)
    return int(raw // 1000) if raw < _MICROSECONDS_BELOW else int(raw // 1_000_000)


def _shown(raw: object) -> str:
    return repr(raw)[:64]
