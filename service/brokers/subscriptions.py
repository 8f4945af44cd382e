"""Subscriptions: what our sessions at the brokers were subscribed to, kept in the database.

A broker keeps a session's subscriptions while the service is stopped. One of a monitor that was removed meanwhile
would have its messages sent to us for ever.
"""

import logging
from collections.abc import Mapping, Sequence
from threading import Lock

from edge.errors import ForesenseError
from service.brokers.broker import BrokerSettings
from service.pipeline.monitor import Monitor
from service.storage.access import Access

log = logging.getLogger(__name__)

_INSERT = "INSERT OR IGNORE INTO subscription VALUES (?, ?)"
_DELETE = "DELETE FROM subscription WHERE session = ? AND filter = ?"
_SELECT = "SELECT filter FROM subscription WHERE session = ? ORDER BY filter"


class Subscriptions:
    """Remembers them beside the writer, in short transactions of its own, until a broker has ended them."""

    def __init__(self, access: Access, brokers: Mapping[str, BrokerSettings]) -> None:
        self._access = access
        self._sessions = {name: f"{broker.client_id} at {broker.address}" for name, broker in brokers.items()}
        self._needed: set[tuple[str, str]] = set()  # sessions and filters that are to stay
        self._lock = Lock()  # who remembers is the reloader; who forgets, the main thread

    def remember(self, monitors: Sequence[Monitor]) -> None:
        """Keep what these monitors are about to be subscribed to; if that fails, it is logged."""
        rows = [(self._sessions[monitor.broker], monitor.template.filter) for monitor in monitors]
        with self._lock:
            self._needed = set(rows)
            self._write(_INSERT, rows)

    def forget(self, left: Mapping[str, Sequence[str]]) -> None:
        """Keep no more, by broker, what it has ended and no monitor needs; if that fails, the next process tries."""
        rows = [(self._sessions[name], each) for name, filters in left.items() for each in filters]
        with self._lock:
            self._write(_DELETE, [row for row in rows if row not in self._needed])

    def others(self, monitors: Sequence[Monitor]) -> dict[str, list[str]]:
        """Return by broker what its session may still be subscribed to besides what these monitors need.

        ForesenseError if the database cannot be read.
        """
        found = {}
        with self._access.connection() as db:
            for name, session in self._sessions.items():
                needed = {monitor.template.filter for monitor in monitors if monitor.broker == name}
                found[name] = [each for (each,) in db.execute(_SELECT, (session,)) if each not in needed]
        return found

    def _write(self, statement: str, rows: Sequence[tuple[str, str]]) -> None:
        if not rows:
            return
        try:
            with self._access.transaction() as db:
                db.executemany(statement, rows)
        except ForesenseError as error:
            log.warning("subscriptions cannot be kept: %s", error)
