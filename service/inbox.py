"""The inbox: the bounded queue between the network thread and the writer."""

from collections import deque
from dataclasses import dataclass
from threading import Condition
from time import monotonic

MOST_MESSAGES = 20_000
MOST_BYTES = 64 * 1024 * 1024
_OVERHEAD = 400  # bytes a queued message takes beside its payload


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came, nothing read yet."""

    epoch: int  #: the connection it came on
    mid: int
    qos: int
    topic: str  #: '' if it was not UTF-8
    payload: bytes
    retain: bool
    received_ms: int  #: UTC epoch
    source: str = ""  #: name of the broker it came from; '' where there is only one


class Inbox:
    """Holds messages up to a number and a size; who puts waits while it is full."""

    def __init__(self, most_messages: int = MOST_MESSAGES, most_bytes: int = MOST_BYTES) -> None:
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._taken = 0
        self._closed = False
        self._woken = False
        self._condition = Condition()

    @property
    def in_flight(self) -> int:
        """Return how many messages were put and are not done."""
        with self._condition:
            return len(self._messages) + self._taken

    @property
    def queued(self) -> int:
        """Return how many messages wait to be taken."""
        return len(self._messages)

    @property
    def queued_bytes(self) -> int:
        """Return what the messages that wait take."""
        return self._bytes

    @property
    def waiting(self) -> int:
        """Return how many messages nobody has taken yet."""
        with self._condition:
            return len(self._messages)

    def put(self, message: Message, timeout_s: float) -> bool:
        """Add a message, and return whether there was room within the timeout and the inbox is open."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._closed or self._has_room(message), timeout_s):
                return False
            if self._closed:
                return False
            self._messages.append(message)
            self._bytes += len(message.payload) + _OVERHEAD
            self._condition.notify_all()
            return True

    def take(self, most: int, timeout_s: float) -> list[Message]:
        """Return what is there, up to `most`; wait only while there is nothing and nobody calls wake()."""
        deadline = monotonic() + timeout_s
        with self._condition:
            while not (self._messages or self._woken or self._closed):
                if not self._condition.wait(deadline - monotonic()) and monotonic() >= deadline:
                    break
            self._woken = False
            batch = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
            self._bytes -= sum(len(message.payload) + _OVERHEAD for message in batch)
            self._taken += len(batch)
            self._condition.notify_all()
            return batch

    def done(self, count: int) -> None:
        """Say that so many of the messages taken have been dealt with."""
        with self._condition:
            self._taken -= count

    def wake(self) -> None:
        """Let take() return even if there is nothing."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def close(self) -> None:
        """Refuse further messages; those within can still be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def drained(self) -> bool:
        """Whether the inbox is closed and empty."""
        with self._condition:
            return self._closed and not self._messages

    def _has_room(self, message: Message) -> bool:
        if not self._messages:
            return True
        return len(self._messages) < self._most_messages and self._bytes + len(message.payload) <= self._most_bytes
