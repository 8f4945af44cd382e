"""Recovery: what is done about an error of the database before a transaction is tried again."""

import logging
import sqlite3

from edge.operation.damage import is_damage
from service.operation.standing import Standing
from service.storage.disk import Disk, is_full
from service.storage.store import Store

log = logging.getLogger(__name__)

_FULL_RETRY_S = 2.0


class Recovery:
    """Makes room on a full disk, and puts a broken database aside. For the thread that writes."""

    def __init__(self, store: Store, disk: Disk, standing: Standing) -> None:
        self._store = store
        self._disk = disk
        self._standing = standing

    @property
    def stores_verdicts(self) -> bool:
        """Whether there is room for verdicts."""
        return not self._disk.is_tight

    def start(self) -> None:
        """Prepare for a full disk."""
        self._disk.start()

    def look(self) -> None:
        """Find out now and then whether a full disk has room again."""
        self._disk.look()
        self._standing.stores_verdicts = self.stores_verdicts

    def mend(self, error: sqlite3.Error, delay_s: float) -> float:
        """Do what can be done, and return how long to wait, instead of a delay, before trying again."""
        if is_full(error):
            first = self.stores_verdicts
            self._disk.filled()
            self._standing.stores_verdicts = False
            return 0.0 if first else min(delay_s, _FULL_RETRY_S)
        if is_damage(error, self._store.path):
            try:
                self._store.quarantine(error)
            except (OSError, sqlite3.Error):
                log.exception("%s: the broken database cannot be put aside", self._store.path)
        return delay_s
