"""The listener: one wait for all that may come, on descriptors or from other threads."""

import os
import select
from collections.abc import Callable, Sequence
from contextlib import suppress

from edge.inbox import Message

Take = Callable[[], Sequence[Message]]  #: reads what has come on a descriptor


class Listener:
    """Waits and reads on one thread; `watch`, `forget` and `wake` are for any."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, select.EPOLLIN)
        self._takes: dict[int, Take] = {}

    def watch(self, fd: int, take: Take) -> bool:
        """Have what comes on a descriptor read by `take`; False if it is always ready, as files are."""
        self._takes[fd] = take
        try:
            self._epoll.register(fd, select.EPOLLIN)
        except PermissionError:
            del self._takes[fd]
            return False
        return True

    def forget(self, fd: int) -> None:
        """Watch a descriptor, which is not closed yet, no more."""
        if self._takes.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def wake(self) -> None:
        """Let listen() return even if there is nothing."""
        with suppress(BlockingIOError):  # it is woken more often than can be counted
            os.eventfd_write(self._bell, 1)

    def listen(self, timeout_s: float) -> list[Message]:
        """Return what has come; wait only while there is nothing and nobody wakes."""
        messages: list[Message] = []
        for fd, _ in self._epoll.poll(timeout_s):
            if fd == self._bell:
                os.eventfd_read(fd)
            elif (take := self._takes.get(fd)) is not None:
                messages += take()
        return messages

    @property
    def is_behind(self) -> bool:
        """Whether there is more to be read."""
        return any(fd != self._bell for fd, _ in self._epoll.poll(0))

    def close(self) -> None:
        """Give the descriptors back that are our own."""
        if not self._epoll.closed:
            self._epoll.close()
            os.close(self._bell)
