"""Lines from a file, a FIFO, a serial line or standard input; each is a message."""

import os
import select
import stat
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.inbox import Inbox
from edge.payloads.payload import LARGEST_PAYLOAD
from edge.sources.source import LOOK_S, Worker

_CHUNK = 64 * 1024
_MS = 1000


class LineSource:
    """Reads lines from a descriptor; what is longer than a payload may be is cut, and so rejected."""

    def __init__(
        self,
        name: str,
        inbox: Inbox,
        now_ms: Callable[[], int],
        open_: Callable[[], int],
        *,
        ends: bool = False,
        joins: bool = False,
        place: int = 0,
    ) -> None:
        """Read from the descriptor that `open_` returns.

        `ends`: nothing comes after its end. `joins`: it may begin within a line, of which nothing is used then.
        `place`: where a file is read on.
        """
        self._open = open_
        self._ends = ends
        self._joins = joins
        self._within = False  # a line whose beginning was missed
        self._place = place
        self._worker = Worker(name, inbox, now_ms, self._read)

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self._worker.is_over

    def start(self) -> None:
        """Begin to read."""
        self._worker.start()

    def stop(self) -> None:
        """Read no more."""
        self._worker.stop()

    def turn(self) -> None:
        """Do nothing: what is wrong is told when it happens."""

    def _read(self) -> None:
        while not self._worker.stopping.is_set():
            fd = self._open()
            self._within = self._joins
            try:
                is_file = not self._ends and stat.S_ISREG(os.fstat(fd).st_mode)  # one that goes on where it was
                if is_file:
                    self._find_place(fd)
                self._drain(fd, is_file)
            finally:
                os.close(fd)
            if self._ends:
                return
            self._worker.stopping.wait(LOOK_S)

    def _find_place(self, fd: int) -> None:
        """Go on where we were, unless the file was begun anew."""
        if self._place > os.fstat(fd).st_size:
            self._place = 0
        os.lseek(fd, self._place, os.SEEK_SET)

    def _drain(self, fd: int, is_file: bool) -> None:
        """Read what there is, until nothing more can come."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        rest = bytearray()
        while not self._worker.stopping.is_set():
            if not is_file and not poll.poll(LOOK_S * _MS):
                continue
            try:
                data = os.read(fd, _CHUNK)
            except BlockingIOError:
                continue
            if not data:
                if rest and not is_file:
                    self._worker.give([(0, bytes(rest))])
                return
            self._worker.succeeds()
            self._worker.give(list(self._lines(rest, data, is_file)))

    def _lines(self, rest: bytearray, data: bytes, is_file: bool) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that are whole, with where to read on after each, and keep what follows in `rest`."""
        rest += data
        *lines, last = bytes(rest).split(b"\n")
        for line in lines:
            if is_file:
                self._place += len(line) + 1
            if (line := line.strip()) and not self._within:
                yield self._place, line
            self._within = False
        rest[:] = last[-LARGEST_PAYLOAD - 1 :]
        if is_file:
            self._place += len(last) - len(rest)


def open_stdin() -> int:
    """Return a descriptor of standard input."""
    return os.dup(sys.stdin.fileno())


def open_file(path: Path) -> int:
    """Return a descriptor of a file or FIFO; one of a FIFO does not wait for who writes."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def open_serial(path: Path, baud: int) -> int:
    """Return a descriptor of a serial line with 8 data bits, no parity and 1 stop bit; OSError if it is none."""
    fd = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        tty.setraw(fd, termios.TCSANOW)  # what has come stays
        attributes = termios.tcgetattr(fd)
        attributes[2] |= termios.CLOCAL | termios.CREAD
        attributes[4] = attributes[5] = getattr(termios, f"B{baud}")
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
    except (termios.error, AttributeError) as error:
        os.close(fd)
        raise OSError(f"expected a serial line that can have {baud} baud, got: {error}") from error
    return fd
