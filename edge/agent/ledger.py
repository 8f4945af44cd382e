"""The ledger: what follows from what was read is written in one transaction, and then acknowledged and told."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from edge.agent.alarms import OpenAlarms
from edge.agent.counters import Counters
from edge.agent.outbox import Outbox
from edge.agent.settings import Settings
from edge.agent.store import StateRow, Store
from edge.inbox import Message
from edge.operation.failpoint import reach

log = logging.getLogger(__name__)

_MOST_UNWRITTEN = 20_000  # verdicts kept in memory while nothing can be written
_FIRST_RETRY_S, _LAST_RETRY_S = 1.0, 60.0


class Ledger:
    """Commits when it is due, again and again if need be; nothing is acknowledged before."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        alarms: OpenAlarms,
        changed: Callable[[], Iterable[StateRow]],
        acknowledge: Callable[[Sequence[Message]], None],
        settings: Settings,
        counters: Counters,
    ) -> None:
        """Write what `changed` returns, the records that have changed since it was asked before."""
        self._store = store
        self._outbox = outbox
        self._alarms = alarms
        self._changed = changed
        self._acknowledge = acknowledge
        self._write_every_s = settings.write_every_s
        self._most_unacknowledged = settings.unacknowledged
        self._counters = counters
        self._read: list[Message] = []  # not acknowledged yet, as what follows from them is not committed
        self._places: dict[str, int] = {}
        self._records: dict[tuple[str, str], StateRow] = {}  # not committed yet
        self._retry_s = _FIRST_RETRY_S
        self.due_s: float | None = None  #: when there is to be a commit, monotonic; None: there is nothing to write

    def enter(self, messages: Sequence[Message]) -> None:
        """Take note of messages that were read."""
        self._read += [message for message in messages if message.qos]
        self._places |= {message.source: message.mid for message in messages if not message.qos and message.mid}
        self.will_commit()
        if len(self._read) >= self._most_unacknowledged:
            self.hurry()

    def collect(self) -> None:
        """Take the records that have changed."""
        self._records |= {(row[0], row[1]): row for row in self._changed()}

    def will_commit(self) -> None:
        """Have what there is to write written within the time that it may wait."""
        if self.due_s is None:
            self.due_s = monotonic() + self._write_every_s

    def hurry(self) -> None:
        """Have it written now."""
        self.due_s = monotonic()

    def deliver(self) -> None:
        """Publish what may go, and commit what is due; alarms wait for a commit unless the last one failed."""
        failing = self._retry_s != _FIRST_RETRY_S
        self._outbox.settle()
        self._outbox.publish(unwritten=failing)
        if self._outbox.has_done:
            self.will_commit()
        is_due = self.due_s is not None and monotonic() >= self.due_s
        if is_due or (self._outbox.has_news and not failing):
            self.commit()
            self._outbox.publish()

    def commit(self) -> None:
        """Write all that follows from what was read, and acknowledge it; if that cannot be, it is tried again later."""
        self.collect()
        try:
            self._write()
        except sqlite3.Error as error:
            self._fail(error)
            return
        self._counters.commits += 1
        reach("before-acknowledge")
        self._acknowledge(self._read)
        reach("after-acknowledge")
        self._records, self._places, self._alarms.changed, self._read = {}, {}, {}, []
        self.due_s, self._retry_s = None, _FIRST_RETRY_S

    def _write(self) -> None:
        with self._store.transaction():
            self._store.save_states(self._records.values())
            self._store.save_alarms(self._alarms.changed.items())
            self._store.save_places(self._places.items())
            rows = self._outbox.write()
        self._outbox.written(rows)
        self._outbox.make_room()

    def _fail(self, error: sqlite3.Error) -> None:
        self._counters.retries += 1
        log.warning("nothing can be written: %s; trying again in %.0f s", error, self._retry_s)
        self._outbox.spare(_MOST_UNWRITTEN)
        self._outbox.publish(unwritten=True)
        self.due_s, self._retry_s = monotonic() + self._retry_s, min(2 * self._retry_s, _LAST_RETRY_S)
