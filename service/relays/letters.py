"""Relay letters: what a sink's server would not take, however often it is sent, is set aside and can be looked at."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

MOST_LETTERS = 10_000  #: of each sink and kind
REFUSED = "refused"  #: the reason of all of them, beside those of messages that could not be read


class Letter(NamedTuple):
    """Something that was refused for good."""

    refused: int  #: UTC epoch, ms
    sink: str
    kind: str  #: "alarm", "incident" or "verdict"
    stream: str  #: or site; '' of verdicts
    body: bytes  #: of verdicts, one line
    reason: str  #: the server's answer


def keep(db: sqlite3.Connection, letters: Sequence[Letter]) -> None:
    """Store letters within a transaction, and delete the oldest beyond what is kept."""
    insert = "INSERT INTO relay_letter (refused, sink, kind, stream, body, reason) VALUES (?, ?, ?, ?, ?, ?)"
    db.executemany(insert, letters)
    oldest = """DELETE FROM relay_letter WHERE sink = ?1 AND kind = ?2 AND id <= (
        SELECT id FROM relay_letter WHERE sink = ?1 AND kind = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)"""
    for sink, kind in {(letter.sink, letter.kind) for letter in letters}:
        db.execute(oldest, (sink, kind, MOST_LETTERS))
