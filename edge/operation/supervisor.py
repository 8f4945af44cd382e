"""The supervisor: once a second it looks whether all is well, and tells systemd and the log."""

import logging
import os
from collections.abc import Callable
from time import monotonic

from edge.operation import systemd
from edge.operation.watchdog import PATIENCE_S, Watchdog, stacks

log = logging.getLogger(__name__)

EXIT_HUNG = 70  #: how the process ends when a worker hangs
_REPORT_S = 60.0


class Supervisor:
    """Watches the workers from the main thread, as systemd watches the main thread."""

    def __init__(self, status: Callable[[], str], summary: Callable[[], str]) -> None:
        """`status` returns what systemd is told of what is done just now, `summary` what was done so far."""
        allowed_s = systemd.patience_s()
        self.watchdog = Watchdog(min(PATIENCE_S, allowed_s / 2) if allowed_s else PATIENCE_S)
        self.turn_s = min(1.0, allowed_s / 4) if allowed_s else 1.0  #: how often `turn` is to be called
        self._status = status
        self.summary = summary
        self._reported = monotonic()

    def started(self) -> None:
        """Say that we have begun; a broker that is away does not keep it from that."""
        systemd.notify("READY=1")
        self.turn()

    def turn(self) -> None:
        """Look whether all workers go on, and tell; end the process at once if one hangs."""
        if hung := self.watchdog.hung():
            self._end(hung)
        systemd.notify("WATCHDOG=1", f"STATUS={self._status()}")
        if monotonic() - self._reported >= _REPORT_S:
            self._reported = monotonic()
            log.info("%s", self.summary())

    def stopping(self) -> None:
        """Say that we are about to end."""
        systemd.notify("STOPPING=1")

    def _end(self, hung: list[str]) -> None:
        """End without a word to the hung worker; what it has not committed is not acknowledged, so nothing is lost."""
        log.critical("%s: no sign of life; ending, to be started again. Where all threads are:\n%s",
                     ", ".join(hung), stacks())  # fmt: skip
        logging.shutdown()
        os._exit(EXIT_HUNG)
