"""The receipt clock: when messages come, though the host's clock may be wrong or leap.

A device without a battery begins in 1970, and time servers and people put clocks back. What comes then must neither be
taken for older than what came before, nor for a message from the future.
"""

import logging
from time import monotonic, time_ns

from edge.messages.stamp import iso
from edge.payloads.payload import MOST_AHEAD_MS

log = logging.getLogger(__name__)

_DAY_MS = 86_400_000


def wall_ms() -> int:
    """Return what the host's clock says, UTC epoch ms."""
    return time_ns() // 1_000_000


class ReceiptClock:
    """Follows the host's clock, but never goes back while the process lives. Times are UTC epoch ms."""

    def __init__(self) -> None:
        self._offset_ms = wall_ms() - _monotonic_ms()
        self._told = False

    def now_ms(self) -> int:
        """Return the time; may be called by several threads."""
        elapsed_ms = _monotonic_ms()
        self._offset_ms = offset_ms = max(self._offset_ms, wall_ms() - elapsed_ms)
        return elapsed_ms + offset_ms

    def is_set(self, created_ms: int) -> bool:
        """Whether the host's clock can be right: it is not long before the bundles were made; say so once if not."""
        if wall_ms() >= created_ms - _DAY_MS:
            return True
        if not self._told:
            self._told = True
            log.error(
                "the clock of this host says %s, which is before the bundles were made (%s): waiting until it is set; "
                "the brokers keep what comes meanwhile", iso(wall_ms()), iso(created_ms),
            )  # fmt: skip
        return False

    def begin(self, newest_ms: int) -> None:
        """Begin after the newest reading that is stored, if the host's clock is far behind it."""
        if self.now_ms() < newest_ms - MOST_AHEAD_MS:
            log.error(
                "the clock of this host says %s, but there are readings of %s: going on from there until it is set",
                iso(wall_ms()), iso(newest_ms),
            )  # fmt: skip
            self._offset_ms = newest_ms - _monotonic_ms()


def _monotonic_ms() -> int:
    return int(1000 * monotonic())
