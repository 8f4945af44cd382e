"""All parts of an agent: which of them a message is for, and what is done with each in turn."""

from collections.abc import Sequence

from paho.mqtt.client import topic_matches_sub

from edge.agent.part import Host, Part
from edge.inbox import Message


class Parts:
    """Passes on to every part what the agent says."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    @property
    def filters(self) -> list[str]:
        """Return which topics they want of the broker that alarms go to."""
        return [each for part in self._parts for each in part.filters]

    def start(self, host: Host) -> None:
        """Begin, before there is a connection."""
        for part in self._parts:
            part.start(host)

    def cannot_open(self, bundle: str, instead: str, reason: str) -> None:
        """Say that the version of a bundle in charge cannot be opened, what goes on instead ('': nothing), and why."""
        for part in self._parts:
            part.cannot_open(bundle, instead, reason)

    def want(self, message: Message) -> bool:
        """Whether a message is for one of them."""
        return any(_is_for(part, message) for part in self._parts)

    def give(self, message: Message) -> bool:
        """Have those take a message whom it is for, and return whether there was one."""
        wanting = [part for part in self._parts if _is_for(part, message)]
        for part in wanting:
            part.on_message(message.topic, message.payload)
        return bool(wanting)

    def turn(self) -> None:
        """Do what is due; called about once a second."""
        for part in self._parts:
            part.turn()

    def stop(self) -> None:
        """End."""
        for part in self._parts:
            part.stop()


def _is_for(part: Part, message: Message) -> bool:
    return any(topic_matches_sub(each, message.topic) for each in part.filters)
