"""The inbox: the bounded queue between the network thread and the writer."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition
from time import monotonic
from typing import NamedTuple

MOST_MESSAGES = 20_000
MOST_BYTES = 64 * 1024 * 1024
_OVERHEAD = 400  # bytes a queued message takes beside its payload


class Message(NamedTuple):
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

    def __init__(
        self,
        most_messages: int = MOST_MESSAGES,
        most_bytes: int = MOST_BYTES,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        """`on_change` is called when there is something to take, for who waits for more than that."""
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._taken = 0
        self._closed = False
        self._woken = False
        self._on_change = on_change
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

    def put(self, messages: Sequence[Message], timeout_s: float) -> int:
        """Add messages in their order, and return how many found room within the timeout; none do if it is closed."""
        deadline = monotonic() + timeout_s
        added = 0
        with self._condition:
            while added < len(messages) and not self._closed:
                if room := self._room(messages[added:] if added else messages):
                    self._messages.extend(messages[added : added + room])
                    self._bytes += _size(messages[added : added + room])
                    added += room
                    self._tell()
                elif (left := deadline - monotonic()) <= 0 or not self._condition.wait(left):
                    break
        return added

    def take(self, most: int, timeout_s: float, most_bytes: int = MOST_BYTES) -> list[Message]:
        """Return what is there, up to `most` messages and bytes; wait only while there is nothing and nobody wakes."""
        deadline = monotonic() + timeout_s
        with self._condition:
            while not (self._messages or self._woken or self._closed):
                if not self._condition.wait(deadline - monotonic()) and monotonic() >= deadline:
                    break
            self._woken = False
            batch: list[Message] = []
            size = 0
            while self._messages and len(batch) < most:
                more = len(self._messages[0].payload) + _OVERHEAD
                if batch and size + more > most_bytes:
                    break
                batch.append(self._messages.popleft())
                size += more
            self._bytes -= size
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
            self._tell()

    def close(self) -> None:
        """Refuse further messages; those within can still be taken."""
        with self._condition:
            self._closed = True
            self._tell()

    @property
    def drained(self) -> bool:
        """Whether the inbox is closed and empty."""
        with self._condition:
            return self._closed and not self._messages

    def _tell(self) -> None:
        self._condition.notify_all()
        if self._on_change is not None:
            self._on_change()

    def _room(self, messages: Sequence[Message]) -> int:
        """Return how many of the messages there is room for now; one that is alone always fits."""
        most = self._most_messages - len(self._messages)
        if len(messages) <= most and self._bytes + _size(messages) <= self._most_bytes:
            return len(messages)
        size, count = self._bytes, 0
        for message in messages[: max(most, 0)]:
            size += len(message.payload) + _OVERHEAD
            if size > self._most_bytes:
                break
            count += 1
        return count or (not self._messages)


def _size(messages: Sequence[Message]) -> int:
    """Return the bytes that messages take while they are queued."""
    return sum([len(message.payload) for message in messages]) + _OVERHEAD * len(messages)
