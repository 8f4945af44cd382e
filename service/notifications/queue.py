"""The queue: what of the outbox is to be told now, held back through quiet hours, and put together if it is much."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import monotonic
from zoneinfo import ZoneInfo

import msgspec

from service.notifications.notice import Message, Notice, digest, read_notice, single
from service.notifications.quiet import Allowance, Quiet
from service.notifications.sent import Sent
from service.notifications.settings import NotificationSettings
from service.relays.delivery import Forget
from service.relays.letters import Letter
from service.relays.outbox import OutboxReader, OutboxRow

_MOST_APART = 3  # so many things at once have a message each; more have one together
_MOST_READ = 500  # rows at once


class NoticeQueue:
    """Stands between the outbox of a receiver and its delivery: reads rows, and hands over messages, one at a time.

    All of it follows from the rows in the outbox, and from what was sent within the hour; so a restart, which reads
    both again, comes to the same.
    """

    def __init__(
        self,
        outbox: OutboxReader,
        settings: NotificationSettings,
        quiet: Quiet,
        forget: Forget,
        sent: Sent,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._outbox = outbox
        self._zone = ZoneInfo(settings.time_zone)
        self._updates = settings.updates
        self._quiet = quiet
        self._allowance = Allowance(settings.most_per_hour)
        self._forget = forget
        self._sent = sent
        self._is_resumed = False
        self._now = now
        self._position = 0  # id of the newest row read
        self._waiting: list[Notice] = []
        self._under_way: dict[int, list[Notice]] = {}  # by the id of the message's row

    def read(self, after: int, most: int, most_bytes: int | None = None) -> list[OutboxRow]:  # noqa: ARG002
        """Return the message that is to be sent now, none if there is none; sqlite3.Error if the outbox cannot be read.

        What was handed over and not forgotten is handed over again.
        """
        if self._under_way:
            ident, notices = next(iter(self._under_way.items()))
            return [self._row(ident, notices)]
        self._take()
        self._drop_what_is_over()
        ready = [notice for notice in self._waiting if not self._quiet.holds(notice.severity, self._now())]
        room = self._room()
        if not ready or room <= 0:
            return []
        if len(ready) <= min(room, _MOST_APART):
            ready = ready[:1]
        self._waiting = [notice for notice in self._waiting if notice not in ready]
        ident = ready[0].ids[0]
        self._under_way[ident] = ready
        return [self._row(ident, ready)]

    def forget(self, ids: Sequence[int], letters: Sequence[Letter], at_once: bool) -> None:
        """Have the rows forgotten of messages that were sent, or are letters now."""
        for ident in ids:
            notices = self._under_way.pop(ident, [])
            self._allowance.use(monotonic())
            self._sent.add(self._now())
            self._forget([row for notice in notices for row in notice.ids], letters, at_once)

    def close(self) -> None:
        """Give the connection back."""
        self._outbox.close()

    def _room(self) -> int:
        """Return how many messages may be sent now, those counted that an earlier process has sent."""
        if not self._is_resumed:
            self._is_resumed = True
            self._allowance.resume(self._sent.ages_s(self._now()), monotonic())
        return self._allowance.room(monotonic())

    def _take(self) -> None:
        """Read the rows that have come."""
        while rows := self._outbox.read(self._position, _MOST_READ):
            for row in rows:
                self._position = row.id
                self._add(read_notice(row))

    def _add(self, notice: Notice) -> None:
        """Put a notice to those that wait, or into the one that it makes up for."""
        for place, earlier in enumerate(self._waiting):
            if earlier.about == notice.about:
                self._waiting[place] = notice._replace(ids=(*earlier.ids, *notice.ids))
                return
        wanted = {"grown": "worse" in self._updates, "closed": "end" in self._updates}.get(notice.state, True)
        if wanted:
            self._waiting.append(notice)
        else:
            self._forget(notice.ids, (), False)

    def _drop_what_is_over(self) -> None:
        """Tell nobody of what began and ended in quiet hours."""
        now = self._now()
        over = [each for each in self._waiting if each.state == "closed" and self._quiet.holds(each.severity, now)]
        for notice in over:
            self._waiting.remove(notice)
            self._forget(notice.ids, (), False)

    def _row(self, ident: int, notices: list[Notice]) -> OutboxRow:
        message: Message = single(notices[0], self._zone) if len(notices) == 1 else digest(notices, self._zone)
        return OutboxRow(ident, message.subject.get("stream", ""), msgspec.json.encode(message), notices[0].kind)
