"""The alarms that are open, and what the world is told of them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from edge.agent.store import Key
from edge.bundle import Bundle
from edge.limits import Budget
from edge.messages.alarm import Alarm, alarm_document, opening, severity
from edge.reading import Change, Verdicts

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class OpenAlarms:
    """Follows each stream's alarm from its opening to its end; `changed` is what is yet to be written."""

    def __init__(self, saved: Mapping[Key, Alarm]) -> None:
        self._open = dict(saved)
        self.changed: dict[Key, Alarm | None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def enter(
        self, verdicts: Verdicts, monitor: str, bundle: Bundle, budget: Budget, names: list[str]
    ) -> Iterator[tuple[str, Alarm]]:
        """Yield the stream's name and the alarm, for each that verdicts open or end, in their order."""
        if not verdicts.alarm.any() and not verdicts.change.any():
            return
        for i in np.flatnonzero((verdicts.change != Change.NONE) | (verdicts.alarm != 0)).tolist():
            name, change = names[int(verdicts.stream[i])], verdicts.change[i]
            key, time, score = (monitor, name), int(verdicts.time[i]), float(verdicts.score[i])
            if change == Change.OPENED:
                yield from self.end(key, None)
                self._put(key, opening(verdicts, i, bundle, budget, monitor, name)._replace(raised=time))
                yield name, self._open[key]
            elif change != Change.NONE:
                yield from self.end(key, time)
            elif (alarm := self._open.get(key)) is not None and score > alarm.peak_score:
                channel = bundle.manifest.channels[int(verdicts.channel[i])].name
                peak = alarm._replace(peak_score=score, peak_time=time, peak_channel=channel)
                self._put(key, peak._replace(severity=severity(score)))

    def end(self, key: Key, time: int | None) -> Iterator[tuple[str, Alarm]]:
        """Yield the stream's name and its alarm, which ends, at its peak if no time is given; none if none is open."""
        if (alarm := self._open.pop(key, None)) is not None:
            self.changed[key] = None
            yield key[1], alarm._replace(end=alarm.peak_time if time is None else time)

    def of(self, monitor: str) -> list[Key]:
        """Return the streams of a monitor that have an alarm open."""
        return [key for key in self._open if key[0] == monitor]

    def _put(self, key: Key, alarm: Alarm) -> None:
        self._open[key] = self.changed[key] = alarm


def alarm_message(monitor: str, stream: str, alarm: Alarm) -> bytes:
    """Return an alarm as JSON."""
    document: dict[str, Any] = alarm_document(monitor, stream, alarm)
    return _encode(document | {"evidence": json.loads(alarm.evidence)}).encode()
