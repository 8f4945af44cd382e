"""The supervisor: once a second it looks whether all is well, and tells systemd and the log."""

import logging
import os
from collections.abc import Callable
from time import monotonic

from edge.operation import systemd
from edge.operation.watchdog import PATIENCE_S, Watchdog, stacks
from service.operation.standing import Standing

log = logging.getLogger(__name__)

EXIT_HUNG = 70  #: how the process ends when a worker hangs
_REPORT_S = 60.0


class Supervisor:
    """Watches the workers from the main thread, as systemd watches the main thread."""

    def __init__(self, standing: Standing, is_ready: Callable[[], bool]) -> None:
        allowed_s = systemd.patience_s()
        self.watchdog = Watchdog(min(PATIENCE_S, allowed_s / 2) if allowed_s else PATIENCE_S)
        self.turn_s = min(1.0, allowed_s / 4) if allowed_s else 1.0  #: how often `turn` is to be called
        self._standing = standing
        self._is_ready = is_ready
        self._reported = monotonic()

    def started(self) -> None:
        """Say that the service has begun; a broker that is away does not keep it from that."""
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
        """Say that the service is about to end."""
        systemd.notify("STOPPING=1")

    def summary(self) -> str:
        """Return what became of every message and reading."""
        return self._standing.counters.summary(self._standing.inbox.in_flight)

    def _status(self) -> str:
        away = [name for name, is_open in self._standing.brokers().items() if not is_open]
        where = "subscribed" if self._is_ready() else f"waiting for {', '.join(away) or 'a subscription'}"
        counters = self._standing.counters
        return f"{where}; {counters.committed} messages committed, {self._standing.inbox.in_flight} in flight"

    def _end(self, hung: list[str]) -> None:
        """End without a word to the hung worker; what it has not committed is not acknowledged, so nothing is lost."""
        log.critical("%s: no sign of life; ending, to be started again. Where all threads are:\n%s",
                     ", ".join(hung), stacks())  # fmt: skip
        logging.shutdown()
        os._exit(EXIT_HUNG)
