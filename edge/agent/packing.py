"""Packing: the messages of the outbox into rows of the store, and back. An alarm has a row of its own."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence

from edge.agent.store import Row

VERDICT, ALARM = "verdict", "alarm"  #: kinds of messages
_MOST_A_ROW = 500  # verdicts


class Item:
    """One message, and the row that it is stored in; None: in none."""

    __slots__ = ("kind", "payload", "row", "topic")

    def __init__(self, kind: str, topic: str, payload: bytes, row: int | None = None) -> None:
        self.kind = kind
        self.topic = topic
        self.payload = payload
        self.row = row


def packed(items: Iterable[Item], last: int) -> list[Row]:
    """Return rows for items, with ids after `last`: one for each alarm, one for many neighbouring verdicts."""
    rows: list[Row] = []
    verdicts: list[Item] = []

    def end() -> None:
        if verdicts:
            rows.append(Row(last + len(rows) + 1, VERDICT, len(verdicts), _body(verdicts)))
            verdicts.clear()

    for item in items:
        if item.kind == ALARM:
            end()
            rows.append(Row(last + len(rows) + 1, ALARM, 1, _body([item])))
        else:
            verdicts.append(item)
            if len(verdicts) == _MOST_A_ROW:
                end()
    end()
    return rows


def unpacked(row: Row) -> Iterator[Item]:
    """Yield the messages of a row."""
    for topic, payload in json.loads(zlib.decompress(row.body)):
        yield Item(row.kind, topic, payload.encode(), row.id)


def _body(items: Sequence[Item]) -> bytes:
    messages = [[item.topic, item.payload.decode()] for item in items]
    return zlib.compress(json.dumps(messages, ensure_ascii=False).encode())
