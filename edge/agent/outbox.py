"""The outbox: verdicts and alarms on their way to the broker, in order, each until it is acknowledged.

While there is a connection, a verdict is published as it comes and never written down; what is not acknowledged by the
next commit is, and so is all that comes while the broker is away. An alarm is always written down first. When too much
waits, the oldest verdicts are dropped, alarms never.
"""

import logging
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Protocol

from edge.agent.counters import Counters
from edge.agent.packing import ALARM, VERDICT, Item, packed, unpacked
from edge.agent.store import Row, Store

log = logging.getLogger(__name__)

MOST_UNDER_WAY = 100  #: messages published and not yet acknowledged
_MOST_ROWS = 4  # read at once
_PAUSE_S = 5.0  # after the broker has refused something
OVERHEAD = 64  #: bytes that a row takes besides its body


class Uplink(Protocol):
    """What publishes."""

    @property
    def epoch(self) -> int:
        """Return the number of the connection."""

    @property
    def resends(self) -> bool:
        """Whether it publishes again by itself what a lost connection did not carry."""

    @property
    def most_unanswered(self) -> int:
        """Return how many messages the broker takes before it has answered."""

    def publish_each(self, messages: Sequence[tuple[str, bytes]]) -> tuple[int, list[int]] | None:
        """Publish, and return the connection's epoch and a number for each message; None if there is none."""


class Outbox:
    """Publishes items in their order. All but `answered` is for one thread."""

    def __init__(self, store: Store, uplink: Uplink, most_bytes: int, counters: Counters) -> None:
        self._store = store
        self._uplink = uplink
        self._most_bytes = most_bytes
        self._counters = counters
        self._fresh: deque[Item] = deque()  # neither stored nor published
        self._loaded: deque[Item] = deque()  # from rows up to _position, to be published
        self._under_way: dict[int, tuple[Item, int]] = {}  # by number, with the epoch of the connection
        self._left: Counter[int] = Counter()  # messages of a row that are not acknowledged
        self._done: list[int] = []  # rows to delete
        self._answers: deque[tuple[int, str | None]] = deque()
        self._quiet_until = 0.0
        self._position = self._last = self._rows = self._bytes = 0
        self._freed: list[int] = []  # bytes of the rows that the transaction deletes
        self._published = 0  # rows of the transaction whose messages are published already
        self.has_news = False  #: an alarm was posted or delivered, which is to be committed at once

    def restore(self) -> None:
        """Begin with what is stored."""
        self._last, self._rows, self._bytes = self._store.outbox()
        self._bytes += OVERHEAD * self._rows

    @property
    def waiting(self) -> int:
        """Return how many rows are stored."""
        return self._rows

    @property
    def size(self) -> int:
        """Return the bytes that the rows take."""
        return self._bytes

    @property
    def has_backlog(self) -> bool:
        """Whether stored rows are still to be published."""
        return self._position < self._last or bool(self._loaded)

    @property
    def is_stored(self) -> bool:
        """Whether something of what is published, or to be, is stored."""
        return bool(self._rows)

    @property
    def has_done(self) -> bool:
        """Whether there are rows to be taken out."""
        return bool(self._done)

    @property
    def is_busy(self) -> bool:
        """Whether something is to be published or acknowledged yet."""
        return self.has_backlog or bool(self._under_way or self._fresh)

    def post(self, kind: str, messages: Iterable[tuple[str, bytes]]) -> None:
        """Take messages, topic and payload, on their way."""
        self._fresh.extend([Item(kind, topic, payload) for topic, payload in messages])
        self.has_news |= kind == ALARM

    def answered(self, mid: int, refusal: str | None) -> None:
        """Take note of the broker's answer; from any thread."""
        self._answers.append((mid, refusal))

    def settle(self) -> None:
        """Take out what was acknowledged, and take back what a lost connection did not carry."""
        while self._answers:
            mid, refusal = self._answers.popleft()
            if (found := self._under_way.pop(mid, None)) is None:
                continue
            if refusal is None:
                self._finish(found[0])
            else:
                log.error("the broker refuses %s: %s; trying again in %.0f s", found[0].topic, refusal, _PAUSE_S)
                self._quiet_until = monotonic() + _PAUSE_S
                self._loaded.appendleft(found[0])
        if self._under_way and not self._uplink.resends:
            epoch = self._uplink.epoch
            lost = [mid for mid, (_, published) in self._under_way.items() if published != epoch]
            self._loaded.extendleft(reversed([self._under_way.pop(mid)[0] for mid in lost]))

    def publish(self, *, unwritten: bool = False) -> None:
        """Publish what may go; `unwritten`: alarms as well that cannot be written down."""
        if monotonic() < self._quiet_until:
            return
        while (room := self._room) > 0 and (items := self._next(room, unwritten=unwritten)):
            published = self._uplink.publish_each([(item.topic, item.payload) for item in items])
            if published is None:
                self._loaded.extendleft(reversed(items))
                return
            epoch, mids = published
            self._under_way.update(zip(mids, ((item, epoch) for item in items), strict=True))

    @property
    def _room(self) -> int:
        return min(MOST_UNDER_WAY, max(self._uplink.most_unanswered // 2, 1)) - len(self._under_way)

    def _next(self, most: int, *, unwritten: bool) -> list[Item]:
        """Take out what is to be published next."""
        if not self._loaded and self._position < self._last:
            self._load()
        items: list[Item] = []
        queue = self._loaded or self._fresh
        may_go = unwritten or queue is self._loaded
        while queue and len(items) < most and (may_go or queue[0].kind == VERDICT):
            items.append(queue.popleft())
        return items

    def write(self) -> list[Row]:
        """Write, within a transaction, what is to be written, and return the rows that are new."""
        self._freed = self._store.delete(self._done)
        under_way = [item for item, _ in self._under_way.values() if item.row is None]
        rows = packed([*self._loaded_new(), *under_way], self._last)
        self._published = len(rows)
        rows += packed(self._fresh, self._last + len(rows))
        self._store.post(rows)
        return rows

    def written(self, rows: Sequence[Row]) -> None:
        """Take note that what `write` wrote is committed."""
        self._rows += len(rows) - len(self._freed)
        self._bytes += sum(len(row.body) + OVERHEAD for row in rows) - sum(size + OVERHEAD for size in self._freed)
        for done in self._done:
            self._left.pop(done, None)
        self._done = []
        held = [*self._loaded_new(), *(item for item, _ in self._under_way.values() if item.row is None)]
        for row in rows[: self._published]:
            for item in held[: row.messages]:
                item.row = row.id
            del held[: row.messages]
            self._left[row.id] = row.messages
        if rows:
            if self._position == self._last:  # else what is already published is published again, in its place
                self._position = self._last + self._published
            self._last = rows[-1].id
        self._fresh.clear()
        self.has_news = False

    def make_room(self) -> None:
        """Drop the oldest verdicts until the rows are within their bound; sqlite3.Error if that cannot be."""
        if self._bytes <= self._most_bytes:
            return
        rows, size, dropped = self._rows, self._bytes, 0
        with self._store.transaction():
            while size > self._most_bytes and (oldest := self._store.oldest(VERDICT)) is not None:
                dropped += oldest.messages
                size -= sum(self._store.delete([oldest.id])) + OVERHEAD
                rows -= 1
        if not self._counters.dropped:
            log.error("more than %d MB wait; the oldest verdicts are dropped", self._most_bytes >> 20)
        self._rows, self._bytes = rows, size
        self._counters.dropped += dropped

    def spare(self, most: int) -> None:
        """Drop the oldest verdicts that are neither stored nor published beyond a number, as nothing can be written."""
        excess = len(self._fresh) - most
        kept: deque[Item] = deque()
        for item in self._fresh:
            if excess > 0 and item.kind == VERDICT:
                excess -= 1
                self._counters.dropped += 1
            else:
                kept.append(item)
        self._fresh = kept

    def _finish(self, item: Item) -> None:
        self._counters.delivered += 1
        if item.row is None:
            return
        self._left[item.row] -= 1
        if self._left[item.row] <= 0:
            self._done.append(item.row)
            self.has_news |= item.kind == ALARM

    def _load(self) -> None:
        rows = self._store.rows(self._position, _MOST_ROWS)
        self._position = rows[-1].id if rows else self._last
        for row in rows:
            messages = list(unpacked(row))
            self._left[row.id] = len(messages)
            self._loaded.extend(messages)

    def _loaded_new(self) -> list[Item]:
        """Return what was refused and is not stored yet."""
        return [item for item in self._loaded if item.row is None]
