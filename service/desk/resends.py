"""Resends: what a sink's server would not take and operators want sent again goes back into the outbox."""

import logging
from collections import Counter

from service.desk.requests import RESEND
from service.relays.letters import Letter
from service.relays.outbox import Outbox
from service.storage.store import Store

log = logging.getLogger(__name__)

_ASKED = """SELECT DISTINCT letter.id, refused, sink, letter.kind, letter.stream, body, reason
    FROM request JOIN relay_letter AS letter ON letter.id = CAST(request.stream AS INTEGER)
    WHERE request.kind = ? ORDER BY letter.id"""


class Resends:
    """Puts the letters of sinks that are asked for back, each once. Works within a transaction."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    def carry_out(self) -> None:
        """Do what is asked, and forget it; a letter of a sink that is no more stays."""
        db, strangers = self._store.db, Counter[str]()
        for ident, *columns in db.execute(_ASKED, (RESEND,)).fetchall():
            letter = Letter(*columns)
            if self._outbox.post_again(letter):
                db.execute("DELETE FROM relay_letter WHERE id = ?", (ident,))
            else:
                strangers[letter.sink] += 1
        for sink, count in strangers.items():
            log.warning("%d letters cannot be sent again: the configuration has no sink %r", count, sink)
        db.execute("DELETE FROM request WHERE kind = ?", (RESEND,))
