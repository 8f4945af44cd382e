"""The clock: whether something keeps it right, and whether readings agree with it."""

import ctypes
import time
from collections.abc import Iterator

from service.doctor.finding import Finding, ok, warn
from service.doctor.history import History

_NOT_SYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_STRUCT_TIMEX = 512  # bytes, more than it has on any platform
_MINUTE_MS = 60_000
_SILENCE_MS = 60 * _MINUTE_MS


def look_at_clock(history: History | None, held: bool) -> Iterator[Finding]:
    """Look at this host's clock; `held`: a service is running, so readings should be coming."""
    yield _kept(_state())
    if history is not None and history.reading_ms is not None:
        yield _agrees(history.reading_ms - time.time_ns() // 1_000_000, held)
    for monitor, late in history.late.items() if history is not None else ():
        yield warn(
            "readings",
            f"{late:,} of {monitor} came too late to be used since the service started",
            f"look why they are late, or have them waited for longer: monitors.{monitor}.lateness_s",
        )


def _kept(state: int) -> Finding:
    if state == _NOT_SYNCHRONISED:
        return warn(
            "clock",
            f"nothing keeps it right, says the kernel; it is {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime())}",
            "run an NTP client: timedatectl set-ntp true, or chrony",
        )
    if state < 0:
        return ok("clock", "the kernel does not say whether something keeps it right")
    return ok("clock", "it is kept right")


def _agrees(ahead_ms: int, held: bool) -> Finding:
    if ahead_ms > _MINUTE_MS:
        return warn(
            "readings",
            f"the newest is {_words(ahead_ms)} ahead of this host's clock",
            "set this host's clock, or the device's that sends them",
        )
    if held and ahead_ms < -_SILENCE_MS:
        return warn(
            "readings",
            f"the newest is {_words(-ahead_ms)} old, though the service is running",
            "look whether devices publish, on the topics of the monitors, with times that are right",
        )
    return ok("readings", f"the newest is {_words(max(-ahead_ms, 0))} old")


def _state() -> int:
    """Return what the kernel says of its clock, without setting anything (modes = 0); -1 if we may not ask."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_STRUCT_TIMEX)))
    except (AttributeError, OSError):
        return -1


def _words(span_ms: int) -> str:
    for unit, size in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", _MINUTE_MS)):
        if span_ms >= 2 * size:
            return f"{span_ms / size:.0f} {unit}"
    return f"{span_ms / 1000:.0f} s"
