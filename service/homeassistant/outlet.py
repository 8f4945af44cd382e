"""The outlet: what is said to Home Assistant, retained, and what follows once the broker has acknowledged it."""

import logging
from collections import deque

from edge.brokers.mqtt import Connection
from service.homeassistant.announced import Announced, Known

log = logging.getLogger(__name__)

_MOST_UNDER_WAY = 400  # messages published and not yet acknowledged


class Outlet:
    """Publishes with QoS 1; with the acknowledgement a device is noted, or forgotten, as what was announced."""

    def __init__(self, connection: Connection, announced: Announced) -> None:
        self._connection = connection
        self._announced = announced
        self._answers: deque[tuple[int, str | None]] = deque()
        self._under_way: dict[int, Known | str | None] = {}  # by mid
        connection.on_published = self._answered

    @property
    def room(self) -> int:
        """Return how many messages may be said now."""
        return max(0, _MOST_UNDER_WAY - len(self._under_way)) if self._connection.is_open else 0

    def begin_anew(self) -> None:
        """Wait for nothing that was said on another connection."""
        self._under_way.clear()

    def say(self, topic: str, payload: bytes, note: Known | None = None, forget: str | None = None) -> None:
        """Publish; once that is acknowledged, `note` a device or `forget` the one of a topic."""
        mid = self._connection.publish(topic, payload, qos=1, retain=True).mid
        self._under_way[mid] = note or forget

    def settle(self) -> None:
        """Do what follows from acknowledgements; ForesenseError if the database cannot be written."""
        noted: list[Known] = []
        forgotten: list[str] = []
        while self._answers:
            mid, refusal = self._answers.popleft()
            effect = self._under_way.pop(mid, None)
            if refusal is not None:
                log.error("the broker refuses what Home Assistant is told: %s", refusal)
            elif isinstance(effect, str):
                forgotten.append(effect)
            elif effect is not None:
                noted.append(effect)
        self._announced.note(noted)
        self._announced.forget(forgotten)

    def _answered(self, mid: int, refusal: str | None) -> None:
        self._answers.append((mid, refusal))
