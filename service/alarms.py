"""Alarms: what verdicts say of them, to rows of the database and messages to the world."""

import hashlib
from datetime import UTC, datetime

import msgspec
import numpy as np

from edge.reading import Change, Verdicts
from service.monitor import Monitor
from service.store import Alarm, SavedStream, Store

SINK = "mqtt"


class AlarmBook:
    """Enters alarms into the store as verdicts open, raise and close them. Works within a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def enter(self, monitor: Monitor, verdicts: Verdicts) -> int:
        """Enter what the verdicts changed, in their order, and return how many alarms are new."""
        opened = 0
        for i in np.flatnonzero((verdicts.alarm != 0) | (verdicts.change != Change.NONE)).tolist():
            row, time = int(verdicts.stream[i]), int(verdicts.time[i])
            stream = monitor.ids[row]
            match verdicts.change[i]:
                case Change.OPENED:
                    self._close(monitor, stream, monitor.names[row], None)
                    opened += self._open(monitor, _opening(monitor, verdicts, i), monitor.names[row])
                case Change.CLOSED | Change.ACCEPTED:
                    self._close(monitor, stream, monitor.names[row], time)
                case _ if verdicts.channel[i] >= 0:
                    channel = monitor.channels[verdicts.channel[i]]
                    self._store.raise_peak(stream, float(verdicts.score[i]), time, channel)
        return opened

    def close_lost(self, monitor: Monitor, streams: list[SavedStream]) -> None:
        """End the open alarms of streams that begin anew, whose state would have closed them."""
        for stream in streams:
            self._close(monitor, stream.id, stream.name, None)

    def _open(self, monitor: Monitor, alarm: Alarm, stream: str) -> bool:
        if not self._store.open_alarm(alarm):
            return False
        self._store.post(SINK, stream, alarm_message(monitor.name, stream, alarm))
        return True

    def _close(self, monitor: Monitor, stream: int, name: str, end: int | None) -> None:
        if alarm := self._store.close_alarm(stream, end):
            self._store.post(SINK, name, alarm_message(monitor.name, name, alarm))


def alarm_id(monitor: str, stream: str, bundle: str, start: int) -> str:
    """Return the id of an alarm: the same whenever and wherever the same alarm is found."""
    return hashlib.sha256(msgspec.json.encode([monitor, stream, bundle, start])).hexdigest()[:32]


def alarm_message(monitor: str, stream: str, alarm: Alarm) -> bytes:
    """Return an alarm as the JSON that leaves the system."""
    return msgspec.json.encode(
        {
            "id": alarm.id,
            "monitor": monitor,
            "stream": stream,
            "bundle": alarm.bundle,
            "state": "opened" if alarm.end is None else "closed",
            "start": iso(alarm.start),
            "end": None if alarm.end is None else iso(alarm.end),
            "channel": alarm.channel,
            "score": alarm.score,
            "value": alarm.value,
            "expected": alarm.expected,
            "lower": alarm.lower,
            "upper": alarm.upper,
            "peak": {"score": alarm.peak_score, "time": iso(alarm.peak_time), "channel": alarm.peak_channel},
        }
    )


def iso(time_ms: int) -> str:
    """Return a time in UTC epoch milliseconds as ISO 8601.

    >>> iso(1_700_000_000_250)
    '2023-11-14T22:13:20.250Z'
    """
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _opening(monitor: Monitor, verdicts: Verdicts, i: int) -> Alarm:
    """Return the alarm that verdict `i` opens."""
    row, c = int(verdicts.stream[i]), int(verdicts.channel[i])
    start, score, channel = int(verdicts.alarm[i]), float(verdicts.score[i]), monitor.channels[c]
    bundle = monitor.bundle.reference
    return Alarm(
        alarm_id(monitor.name, monitor.names[row], bundle, start),
        monitor.ids[row],
        bundle,
        channel,
        start,
        None,
        score,
        *_numbers(verdicts, i, c),
        score,
        int(verdicts.time[i]),
        channel,
    )


def _numbers(verdicts: Verdicts, i: int, c: int) -> tuple[float, float, float, float]:
    """Return value, expected, lower and upper of one channel of one verdict."""
    value, expected, lower, upper = verdicts.value, verdicts.expected, verdicts.lower, verdicts.upper
    return float(value[i, c]), float(expected[i, c]), float(lower[i, c]), float(upper[i, c])
