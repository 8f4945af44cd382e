"""Alarms: what verdicts say of them, to rows of the database and messages to the world."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.messages.alarm import Alarm, opening
from edge.reading import Change, Verdicts
from service.alarms.incidents import Incidents
from service.alarms.mutes import Mutes
from service.pipeline.monitor import Monitor
from service.relays.outbox import Outbox
from service.storage.store import SavedStream, Store


class _News(NamedTuple):
    """An alarm that was raised, or closed, in this transaction."""

    monitor: Monitor
    stream: str
    alarm: Alarm


class AlarmBook:
    """Enters alarms into the store as verdicts open, raise and close them. Works within a transaction.

    An alarm of a stream that is maintained or muted is held: the world is told of it if it is still open when
    that ends. `finish` ends the work of a transaction: it finds incidents, and then posts what the world is told.
    """

    def __init__(self, store: Store, mutes: Mutes, incidents: Incidents, outbox: Outbox) -> None:
        self._store = store
        self._mutes = mutes
        self._incidents = incidents
        self._outbox = outbox
        self._held: set[int] = set()  # streams
        self._news: list[_News] = []

    def restore(self) -> None:
        """Begin anew with what the database knows."""
        self._news.clear()
        self._incidents.restore()
        held = self._store.db.execute('SELECT stream FROM alarm WHERE "end" IS NULL AND raised IS NULL')
        self._held = {stream for (stream,) in held}

    def enter(self, monitor: Monitor, verdicts: Verdicts) -> int:
        """Enter what the verdicts changed, in their order, and return how many alarms are new."""
        opened = 0
        for i in np.flatnonzero(self._matter(verdicts)).tolist():
            row, time = int(verdicts.stream[i]), int(verdicts.time[i])
            stream, name = monitor.ids[row], monitor.names[row]
            change = verdicts.change[i]
            if change == Change.OPENED:
                self._close(monitor, stream, name, None)
                first = opening(verdicts, i, monitor.bundle, monitor.budget, monitor.name, name, stream)
                opened += self._open(monitor, name, first, time)
            elif change != Change.NONE:  # however it ended
                self._close(monitor, stream, name, time)
            else:
                if verdicts.channel[i] >= 0:
                    channel = monitor.channels[verdicts.channel[i]]
                    self._store.raise_peak(stream, float(verdicts.score[i]), time, channel)
                self._release(monitor, stream, name, time)
        return opened

    def _matter(self, verdicts: Verdicts) -> NDArray[np.bool_]:
        """Tell which verdicts (n,) may change something."""
        changes, goes_on = verdicts.change != Change.NONE, verdicts.alarm != 0
        if not self._held and not (verdicts.change == Change.OPENED).any():
            goes_on = goes_on & (verdicts.score >= 1.0)  # none is held, and what scores less is no peak
        matter: NDArray[np.bool_] = changes | goes_on
        return matter

    def release_silent(self, monitor: Monitor, times: Mapping[int, int]) -> None:
        """Tell of the held alarms of streams that say no more, by row and their own time (UTC epoch, ms)."""
        for row, time in times.items():
            self._release(monitor, monitor.ids[row], monitor.names[row], time)

    def close_lost(self, monitor: Monitor, streams: list[SavedStream]) -> None:
        """End the open alarms of streams that begin anew, whose state would have closed them."""
        for stream in streams:
            self._close(monitor, stream.id, stream.name, None)

    def finish(self) -> None:
        """Find the incidents of what was raised and closed, and put all that the world is told into the outbox."""
        if not self._news:
            return
        raised = [news for news in self._news if news.alarm.end is None]
        for news in sorted(raised, key=lambda each: (each.alarm.raised, each.alarm.id)):
            self._incidents.join(news.monitor.site, news.alarm)
        for monitor, stream, alarm in self._news:
            known = self._store.alarm(alarm.id)
            if alarm.end is not None and known.incident is not None:
                self._incidents.touch(known.incident)
            told = bool(known.told)
            if alarm.end is None and known.incident is None:
                self._store.mark_told(alarm.id)
                told = True
            if alarm.raised is not None:
                self._outbox.post_alarm(monitor, stream, alarm._replace(incident=known.incident), told)
        self._incidents.settle()
        self._news.clear()

    def _reason(self, monitor: Monitor, stream: str, time: int) -> str | None:
        return monitor.maintenance.reason(stream, time) or self._mutes.reason(monitor.name, stream, time)

    def _open(self, monitor: Monitor, stream: str, first: Alarm, time: int) -> bool:
        reason = self._reason(monitor, stream, time)
        alarm = self._store.open_alarm(first._replace(suppressed=reason, raised=None if reason else time))
        if alarm is None:
            return False
        if reason is None:
            self._news.append(_News(monitor, stream, alarm))
        else:
            self._held.add(alarm.stream)
        return True

    def _release(self, monitor: Monitor, stream: int, name: str, time: int) -> None:
        """Tell of an alarm that was held and is still open, if nothing holds it any more."""
        if stream not in self._held or self._reason(monitor, name, time) is not None:
            return
        self._held.discard(stream)
        if alarm := self._store.raise_alarm(stream, time):
            self._news.append(_News(monitor, name, alarm))

    def _close(self, monitor: Monitor, stream: int, name: str, end: int | None) -> None:
        self._held.discard(stream)
        if alarm := self._store.close_alarm(stream, end):
            self._news.append(_News(monitor, name, alarm))
