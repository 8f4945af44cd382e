"""Requests: what operators ask of the engine; the writer does it, within a transaction of its own."""

import logging
from collections.abc import Sequence

from edge.errors import ForesenseError
from service.pipeline.monitor import Monitor
from service.storage.store import Store

log = logging.getLogger(__name__)

ACCEPT = "accept"  #: take a stream's present level as its new normal
REPLAY = "replay"  #: put the dead letter back whose id stands in place of a stream; see service/desk/replays.py
RESEND = "resend"  #: the same of what a sink has refused; see service/desk/resends.py


class Requests:
    """Carries out what stands in the table `request`, each once."""

    def __init__(self, store: Store, monitors: Sequence[Monitor]) -> None:
        self._store = store
        self._monitors = {monitor.name: monitor for monitor in monitors}

    def carry_out(self) -> None:
        """Do what is asked, and forget it; works within a transaction."""
        db = self._store.db
        asked: dict[str, list[str]] = {}
        for name, stream in db.execute("SELECT monitor, stream FROM request WHERE kind = ? ORDER BY id", (ACCEPT,)):
            asked.setdefault(name, []).append(stream)
        for name, streams in asked.items():
            if monitor := self._monitors.get(name):
                self._accept(monitor, streams)
        db.execute("DELETE FROM request WHERE kind NOT IN (?, ?)", (REPLAY, RESEND))

    def _accept(self, monitor: Monitor, streams: list[str]) -> None:
        try:
            accepted = monitor.accept(streams)
        except ForesenseError as error:
            log.warning("%s: the level of %s cannot be accepted: %s", monitor.name, ", ".join(streams), error)
            return
        self._store.save_states(monitor.changed_states())
        for stream in streams:
            done = "is accepted" if stream in accepted else "is not asked for: it has no alarm open"
            log.info("%s: the present level of %s %s", monitor.name, stream, done)
