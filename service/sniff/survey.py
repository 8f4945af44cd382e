"""The survey: what was seen on each topic, in bounded memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge.inbox import Message
from edge.payloads.payload import LARGEST_PAYLOAD

MOST_TOPICS = 20_000
MOST_SAMPLES = 24  #: of a topic
MOST_BYTES = 64 * 1024 * 1024  #: of all samples


@dataclass(slots=True)
class Topic:
    """A topic, how much came on it, and the first messages."""

    name: str
    messages: int = 0
    samples: list[Message] = field(default_factory=list)

    @property
    def levels(self) -> list[str]:
        """Return the levels of its name."""
        return self.name.split("/")


class Survey:
    """Takes messages and remembers some of each topic; a topic beyond the bound is only counted."""

    def __init__(self, leave_out: str) -> None:
        self.topics: dict[str, Topic] = {}
        self.messages = 0
        self.unseen = 0  #: messages on topics that there was no room for, or whose name is none
        self._leave_out = leave_out  # how topics begin that are our own
        self._bytes = 0

    def write(self, messages: Iterable[Message]) -> None:
        """Take messages."""
        for message in messages:
            if not message.topic.startswith((self._leave_out, "$")):
                self._take(message)

    def _take(self, message: Message) -> None:
        self.messages += 1
        topic = self.topics.get(message.topic)
        if topic is None:
            if len(self.topics) >= MOST_TOPICS or not message.topic:
                self.unseen += 1
                return
            topic = self.topics[message.topic] = Topic(message.topic)
        topic.messages += 1
        size = len(message.payload)
        if len(topic.samples) < MOST_SAMPLES and size <= LARGEST_PAYLOAD and self._bytes + size <= MOST_BYTES:
            topic.samples.append(message)
            self._bytes += size
