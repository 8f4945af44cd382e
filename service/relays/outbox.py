"""The outbox: what was committed and is yet to be told to the world, a row for each sink that wants it."""

import json
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from edge.messages.alarm import Alarm
from edge.reading import Verdicts
from service.alarms.messages import Incident, Member
from service.counters import Counters
from service.pipeline.monitor import Monitor
from service.relays.letters import Letter, keep
from service.storage.reader import Reader
from service.storage.store import Store

log = logging.getLogger(__name__)

VERDICT = "verdict"  #: the kind of rows that may be dropped
LINES_A_ROW = 5_000
_LOW_WATER = 0.9  # of a sink's bound: below it, dropping is over


class Sink(Protocol):
    """One place that is told, and how what it is told is written in its rows; called within a transaction."""

    name: str
    most_bytes: int  #: that its rows may have; beyond these the oldest verdicts are dropped, alarms never

    def alarm(self, monitor: Monitor, stream: str, alarm: Alarm, told: bool) -> bytes | None:
        """Return the body that tells of an alarm, None if the sink wants none; without `told` an incident has it."""

    def incident(self, incident: Incident, state: str, streams: int, members: Sequence[Member]) -> bytes | None:
        """Return the body that tells of an incident, None if the sink wants none."""

    def verdicts(self, monitor: Monitor, verdicts: Verdicts) -> Iterable[bytes]:
        """Return the verdicts as lines, none if the sink wants none."""

    def health(self, told: Mapping[str, Any], waiting: Mapping[str, int]) -> Iterable[bytes]:
        """Return as lines what the service tells of itself, and how many rows wait for each sink; none if unwanted."""


class OutboxRow(NamedTuple):
    """Something to be told to the world."""

    id: int
    stream: str  #: or site; '' of verdicts
    body: bytes
    kind: str = "alarm"  #: or "incident", the last level of its topic; or "verdict", lines of many streams


class Outbox:
    """Writes the rows of all sinks within the writer's transaction; `settle` ends its work in it.

    What relays have delivered, on threads of their own, is taken out with the next transaction.
    """

    def __init__(self, store: Store, sinks: Sequence[Sink], counters: Counters) -> None:
        #: a sink whose rows were committed, and these rows but for verdicts; none if the outbox may have others before
        self.on_posted: Callable[[str, Sequence[OutboxRow]], None] = _nothing
        self._store = store
        self._counters = counters
        self._sinks = {sink.name: sink for sink in sinks}
        self._delivered: deque[tuple[Sequence[int], Sequence[Letter]]] = deque()
        self._full: set[str] = set()
        self.restore()

    def replace(self, sinks: Sequence[Sink]) -> None:
        """Have sinks take the place of those of the same names, as other monitors are watched."""
        self._sinks |= {sink.name: sink for sink in sinks if sink.name in self._sinks}

    def restore(self) -> None:
        """Begin anew with what the database knows."""
        self._bytes: dict[str, int] | None = None  # by sink; read within the next transaction
        self._change: Counter[str] = Counter()
        self._lines: dict[str, list[bytes]] = {}
        self._posted: dict[str, list[OutboxRow]] = {}
        self._told: set[str] = set()  # sinks that were told of rows since
        self._lost: Counter[str] = Counter()
        self._taken = 0

    def post_alarm(self, monitor: Monitor, stream: str, alarm: Alarm, told: bool) -> None:
        """Tell of an alarm that was raised or closed; without `told` an incident speaks for it."""
        for sink in self._sinks.values():
            if body := sink.alarm(monitor, stream, alarm, told):
                self._post(sink.name, stream, body, "alarm")

    def post_incident(self, incident: Incident, state: str, streams: int, members: Sequence[Member]) -> None:
        """Tell of an incident that began, grew or ended."""
        for sink in self._sinks.values():
            if body := sink.incident(incident, state, streams, members):
                self._post(sink.name, incident.site, body, "incident")

    def post_verdicts(self, monitor: Monitor, verdicts: Verdicts) -> None:
        """Tell of verdicts; they become rows when the transaction settles."""
        for sink in self._sinks.values():
            if lines := sink.verdicts(monitor, verdicts):
                self._lines.setdefault(sink.name, []).extend(lines)

    def post_again(self, letter: Letter) -> bool:
        """Tell of something that was refused as if it were new, and return whether its sink is there to be told."""
        if letter.sink in self._sinks:
            self._post(letter.sink, letter.stream, letter.body, letter.kind)
        return letter.sink in self._sinks

    def post_health(self, told: Mapping[str, Any]) -> None:
        """Tell how the service is doing, among the verdicts: as these, it may be dropped while a server is away."""
        waiting = dict.fromkeys(self._sinks, 0)
        waiting |= dict(self._store.db.execute("SELECT sink, count(*) FROM outbox GROUP BY sink"))
        for sink in self._sinks.values():
            if lines := sink.health(told, waiting):
                self._lines.setdefault(sink.name, []).extend(lines)

    def forget(self, ids: Sequence[int], letters: Sequence[Letter] = ()) -> None:
        """Take note of what a relay has delivered, and of what was refused for good; from any thread."""
        self._delivered.append((ids, letters))

    def settle(self) -> None:
        """Write what is left to write, and take out what was delivered and what there is no room for."""
        if self._bytes is None:
            self._bytes = self._weigh()
        for sink, lines in self._lines.items():
            for begin in range(0, len(lines), LINES_A_ROW):
                self._post(sink, "", b"\n".join(lines[begin : begin + LINES_A_ROW]), VERDICT)
        self._taken = len(self._delivered)
        for ids, letters in list(self._delivered)[: self._taken]:
            self._delete(ids)
            keep(self._store.db, letters)
        for name in self._posted:
            self._make_room(self._sinks[name])

    def committed(self) -> None:
        """Take note that the transaction is committed, and have the relays look."""
        for _ in range(self._taken):
            for letter in self._delivered.popleft()[1]:
                self._counters.undeliverable[letter.sink] += 1
        for name, change in self._change.items():
            if self._bytes is not None:
                self._bytes[name] = self._bytes.get(name, 0) + change
        self._counters.dropped.update(self._lost)
        posted = self._posted
        self._change, self._lines, self._posted, self._lost, self._taken = Counter(), {}, {}, Counter(), 0
        for name, rows in posted.items():
            self.on_posted(name, rows if name in self._told else ())
        self._told.update(posted)

    def clear_strangers(self) -> None:
        """Delete the verdicts that wait for sinks that are no more, and say what else waits for them."""
        select = "SELECT sink, kind = ?, count(*) FROM outbox GROUP BY 1, 2"
        for name, are_verdicts, count in self._store.db.execute(select, (VERDICT,)).fetchall():
            if name in self._sinks:
                continue
            if are_verdicts:  # the database has them all
                self._store.db.execute("DELETE FROM outbox WHERE sink = ? AND kind = ?", (name, VERDICT))
            else:
                log.warning("%d alarms wait for the sink %r, which the configuration does not have", count, name)

    def _post(self, sink: str, stream: str, body: bytes, kind: str) -> None:
        number = self._store.post(sink, stream, body, kind)
        self._change[sink] += len(body)
        rows = self._posted.setdefault(sink, [])
        if kind != VERDICT:
            rows.append(OutboxRow(number, stream, body, kind))

    def _weigh(self) -> dict[str, int]:
        """Return how many bytes wait for each sink, besides what this transaction has posted."""
        sums = dict(self._store.db.execute("SELECT sink, sum(length(body)) FROM outbox GROUP BY sink"))
        return {sink: int(size) - self._change[sink] for sink, size in sums.items()}

    def _delete(self, ids: Sequence[int]) -> None:
        delete = "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?)) RETURNING sink, length(body)"
        for sink, size in self._store.db.execute(delete, (json.dumps(list(ids)),)):
            self._change[sink] -= size

    def _make_room(self, sink: Sink) -> None:
        """Drop the oldest verdicts of a sink until its rows are within its bound, or alarms are all that is left."""
        delete = """DELETE FROM outbox WHERE id = (
            SELECT id FROM outbox WHERE sink = ? AND kind = ? ORDER BY id LIMIT 1) RETURNING body"""
        size = (self._bytes or {}).get(sink.name, 0) + self._change[sink.name]
        if size < _LOW_WATER * sink.most_bytes:
            self._full.discard(sink.name)
        while size > sink.most_bytes:
            row = self._store.db.execute(delete, (sink.name, VERDICT)).fetchone()
            if row is None:
                return
            size -= len(row[0])
            self._change[sink.name] -= len(row[0])
            self._lost[sink.name] += row[0].count(b"\n") + 1
            if sink.name not in self._full:
                self._full.add(sink.name)
                log.error("%s: more than %d MB wait; the oldest verdicts are dropped", sink.name, sink.most_bytes >> 20)


class OutboxReader:
    """Reads one relay's outbox beside the writer, on a connection and in a thread of its own."""

    def __init__(self, path: Path, sink: str) -> None:
        self._sink = sink
        self._reader = Reader(path)

    def read(self, after: int, most: int, most_bytes: int | None = None) -> list[OutboxRow]:
        """Return the oldest rows with an id greater than `after`; sqlite3.Error if that fails.

        At most `most`; with `most_bytes`, none after the one that reaches so many bytes.
        """
        select = "SELECT id, stream, body, kind FROM outbox WHERE sink = ? AND id > ? ORDER BY id LIMIT ?"
        rows, size = [], 0
        try:
            with closing(self._reader.connection().execute(select, (self._sink, after, most))) as found:
                for row in map(OutboxRow._make, found):
                    rows.append(row)
                    size += len(row.body)
                    if most_bytes is not None and size >= most_bytes:
                        break
        except BaseException:
            self.close()
            raise
        return rows

    def close(self) -> None:
        """Give the connection back; it is opened again when it is needed."""
        self._reader.close()


def _nothing(_sink: str, _rows: Sequence[OutboxRow]) -> None:
    pass
