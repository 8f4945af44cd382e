"""Incidents: the alarms of many streams of a site at once are one event, and the world is told once."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from edge.messages.alarm import Alarm
from service.alarms.messages import Incident, Member
from service.pipeline.monitor import Monitor
from service.relays.outbox import Outbox
from service.settings import IncidentSettings
from service.storage.store import Store

MOST_MEMBERS = 200  #: alarms that a message lists


class _Raised(NamedTuple):
    """An alarm, the stream it is of, when it was raised, and the incident it is part of."""

    id: str
    stream: int
    raised: int
    incident: str | None


class Incidents:
    """Finds incidents by the alarms' own times. Works within a transaction; `settle` ends its work in it.

    The alarms of a site are an incident where enough streams raise theirs within the time, and it goes on as long
    as they do. Enough are so many as the settings say, but more than the budgets explain: of a count with mean m
    by chance (Poisson), more than m + 4 sqrt(m) is no chance.
    """

    def __init__(
        self, store: Store, monitors: Sequence[Monitor], settings: IncidentSettings | None, outbox: Outbox
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._least, self._within = (settings.streams, settings.within_ms) if settings else (0, 0)
        self._monitors: dict[str, list[Monitor]] = {}  # of a site
        for monitor in monitors:
            self._monitors.setdefault(monitor.site, []).append(monitor)
        self._touched: dict[str, None] = {}
        self._joined: set[str] = set()  # alarms, in this transaction

    def restore(self) -> None:
        """Forget what the transaction has touched."""
        self._touched.clear()
        self._joined.clear()

    def touch(self, incident: str) -> None:
        """Note that an alarm of an incident has ended."""
        self._touched[incident] = None

    def join(self, site: str, alarm: Alarm) -> None:
        """Take an alarm that was raised into the incident of its site, if there is one or it makes one."""
        if not self._least or alarm.raised is None or alarm.id in self._joined:
            return
        members = self._together(site, alarm.raised)
        free = [each for each in members if each.incident is None]
        if not free:
            return
        ident = next((each.incident for each in members if each.incident is not None), None)
        if ident is None:
            start = free[0].raised
            ident = incident_id(site, start)
            insert = "INSERT INTO incident VALUES (?, ?, ?, NULL, ?, 0, 0)"
            self._store.db.execute(insert, (ident, site, start, start))
        self._add(ident, free)

    def settle(self) -> None:
        """Bring the incidents up to date that have changed, and tell of those that began, doubled or ended."""
        for ident in self._touched:
            self._settle(ident)
        self.restore()

    def _add(self, ident: str, members: Sequence[_Raised]) -> None:
        db = self._store.db
        db.executemany("UPDATE alarm SET incident = ? WHERE id = ?", [(ident, each.id) for each in members])
        update = """UPDATE incident SET "start" = min("start", ?), newest = max(newest, ?), alarms = alarms + ?
            WHERE id = ?"""
        db.execute(update, (members[0].raised, members[-1].raised, len(members), ident))
        self._touched[ident] = None
        self._joined.update(each.id for each in members)

    def _together(self, site: str, time: int) -> list[_Raised]:
        """Return the first alarms of enough streams that lie within the time, one of them raised at `time`."""
        select = """SELECT alarm.id, alarm.stream, raised, incident FROM alarm JOIN stream ON stream.id = alarm.stream
            WHERE raised BETWEEN ? AND ? AND monitor IN (SELECT value FROM json_each(?)) ORDER BY raised, alarm.id"""
        names = json.dumps([monitor.name for monitor in self._monitors[site]])
        rows = self._store.db.execute(select, (time - self._within, time + self._within, names))
        near, enough = [_Raised(*row) for row in rows], self._enough(site)
        for begin in sorted({each.raised for each in near if each.raised <= time}):
            members = [each for each in near if begin <= each.raised <= begin + self._within]
            if len({each.stream for each in members}) >= enough:
                return members
        return []

    def _enough(self, site: str) -> int:
        """Return how many streams with alarms within the time are no chance."""
        mean = sum(
            len(monitor.ids) * monitor.budget.shared(len(monitor.ids)).per_slot(self._within)
            for monitor in self._monitors[site]
        )
        return max(self._least, math.ceil(mean + 4 * math.sqrt(mean)))

    def _settle(self, ident: str) -> None:
        db = self._store.db
        before = Incident(*db.execute("SELECT * FROM incident WHERE id = ?", (ident,)).fetchone())
        select = 'SELECT max("end"), count(*) - count("end"), count(DISTINCT stream) FROM alarm WHERE incident = ?'
        last, are_open, streams = db.execute(select, (ident,)).fetchone()
        now = before._replace(end=None if are_open else last)
        states = []
        if not before.told:
            states.append("opened")
        elif now.alarms >= 2 * before.told or (before.end is not None and now.end is None):
            states.append("grown")
        if now.end is not None and (before.end, before.alarms) != (now.end, before.told):
            states.append("closed")
        told = now.alarms if states else before.told
        db.execute('UPDATE incident SET "end" = ?, told = ? WHERE id = ?', (now.end, told, ident))
        if not states:
            return
        select = """SELECT alarm.id, monitor, name, channel, "start", "end", severity, peak_score
            FROM alarm JOIN stream ON stream.id = alarm.stream WHERE incident = ?
            ORDER BY raised, monitor, name LIMIT ?"""
        members = [Member(*row) for row in db.execute(select, (ident, MOST_MEMBERS))]
        for state in states:
            told_as = now if state == "closed" else now._replace(end=None)
            self._outbox.post_incident(told_as, state, streams, members)


def incident_id(site: str, start: int) -> str:
    """Return the id of an incident that began with an alarm raised at a time: the same whenever it is found.

    It stands on the time and not on an alarm's id, because alarms of one moment come in any order.
    """
    return hashlib.sha256(msgspec.json.encode([site, start])).hexdigest()[:32]
