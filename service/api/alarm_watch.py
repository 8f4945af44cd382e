"""The watch on alarms: which were opened, grew, closed, acknowledged or labelled since the last look."""

import json
from collections.abc import Sequence
from typing import Any

from service.api.alarm_rows import SELECT, alarm_of
from service.api.source import Source

_OPEN = f"""{SELECT} WHERE "end" IS NULL"""
_SOME = f"""{SELECT} WHERE alarm.id IN (SELECT value FROM json_each(?))"""  # noqa: S608
_ENDED = f"""{SELECT} WHERE alarm.stream = ? AND "start" = ? AND "end" IS NOT NULL"""


class AlarmWatch:
    """Looks at the database for all listeners at once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[str, dict[str, Any]] | None = None  # those that were open at the last look

    def news(self, opened: Sequence[tuple[int, int]] = ()) -> list[dict[str, Any]]:
        """Return the alarms that have changed; the first look only takes down which are open.

        `opened` are the streams and starts of alarms that were opened meanwhile, and may have ended already.
        """
        reader = self._source.reader
        now = {row[0]: alarm_of(row) for row in reader.rows(_OPEN)}
        before, self._known = self._known, now
        ended = {row[0]: alarm_of(row) for each in opened for row in reader.rows(_ENDED, each)}
        if before is None:
            return list(ended.values())
        gone = [ident for ident in before if ident not in now and ident not in ended]
        ended |= {row[0]: alarm_of(row) for row in reader.rows(_SOME, (json.dumps(gone),))}
        return [*(alarm for ident, alarm in now.items() if before.get(ident) != alarm), *ended.values()]
