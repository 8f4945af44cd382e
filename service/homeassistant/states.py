"""States: what Home Assistant is told of each stream, from its last verdict and from the database."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from edge.brokers.consumer import OFFLINE, ONLINE
from edge.messages.stamp import iso
from service.homeassistant.device import OFF, ON, Key, place_of
from service.homeassistant.facts import Facts
from service.homeassistant.latest import Latest
from service.pipeline.monitor import Monitor
from service.pipeline.transaction import Scored

_MOST_DIGITS = 6  # of a number that is told


class States:
    """Knows the states of all streams, and which of them are due; for one thread."""

    def __init__(self, facts: Facts, every_s: float) -> None:
        self._facts = facts
        self._every_s = every_s
        self._latest: dict[str, Latest] = {}

    def take(self, scored: Scored) -> list[Key]:
        """Take verdicts over, and return the streams that fell silent or speak again."""
        latest = self._latest.get(scored.monitor)
        if latest is None or latest.names is not scored.streams or latest.channels != scored.channels:
            latest = self._latest[scored.monitor] = Latest(scored.streams, scored.channels)
        return [(scored.monitor, name) for name in latest.take(scored)]

    def due(self, now_s: float) -> Iterator[Key]:
        """Yield the streams with a verdict that is due to be told."""
        for monitor, latest in self._latest.items():
            for name in latest.due(now_s, self._every_s):
                yield monitor, name

    def body(self, key: Key, monitor: Monitor, now_s: float) -> bytes:
        """Return the state of a stream as JSON, which counts as told."""
        alarm, latest = self._facts.alarms.get(key), self._latest.get(key[0])
        told: dict[str, Any] = {
            "problem": (ON if alarm else OFF).decode(),
            "score": None,
            "bundle": monitor.bundle.reference,
            "mute": (ON if key in self._facts.muted else OFF).decode(),
            "alarm": alarm._asdict() | {"start": iso(alarm.start)} if alarm else {},
        }
        told |= dict.fromkeys(map(place_of, monitor.channels))
        if latest is not None and (row := latest.rows.get(key[1])) is not None:
            told["score"] = _number(float(latest.score[row]))
            expected = zip(map(place_of, latest.channels), latest.expected[row].tolist(), strict=True)
            told |= {place: _number(value) for place, value in expected if place in told}
            latest.told(key[1], now_s)
        return msgspec.json.encode(told)

    def availability(self, key: Key) -> bytes:
        """Return whether a stream says anything: it does until a verdict says that it is silent."""
        latest = self._latest.get(key[0])
        row = None if latest is None else latest.rows.get(key[1])
        return OFFLINE if latest is not None and row is not None and latest.silent[row] else ONLINE


def _number(number: float) -> float | None:
    return float(f"{number:.{_MOST_DIGITS}g}") if math.isfinite(number) else None
