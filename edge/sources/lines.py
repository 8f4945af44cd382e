"""Lines from a file, a FIFO, a serial line or standard input; each is a message."""

import os
import stat
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from functools import partial
from io import FileIO
from pathlib import Path
from threading import Event

from edge.inbox import Inbox, Message
from edge.payloads.payload import LARGEST_PAYLOAD
from edge.sources.listener import Listener
from edge.sources.source import LOOK_S, Worker

_CHUNK = 64 * 1024
_LITTLE = 4 * 1024  # read at once by who has other things to do


class LineSource:
    """Reads lines from a descriptor; what is longer than a payload may be is cut, and so rejected.

    Its thread opens descriptors and reads files. What comes now and then, over a FIFO, a serial line or standard input,
    is read by who listens: to hand it over from thread to thread would take as long as to read it.
    """

    def __init__(
        self,
        name: str,
        inbox: Inbox,
        listener: Listener,
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
        self._listener = listener
        self._open = open_
        self._ends = ends
        self._joins = joins
        self._within = False  # a line whose beginning was missed
        self._failure: OSError | None = None  # of the descriptor that is listened to
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
            self._within = self._joins
            with FileIO(self._open()) as file:
                fd = file.fileno()
                is_file = not self._ends and stat.S_ISREG(os.fstat(fd).st_mode)  # one that goes on where it was
                if is_file:
                    self._find_place(fd)
                if is_file or not self._is_listened_to(file):
                    self._drain(fd, is_file)
            if self._ends:
                return
            self._worker.stopping.wait(LOOK_S)

    def _find_place(self, fd: int) -> None:
        """Go on where we were, unless the file was begun anew."""
        if self._place > os.fstat(fd).st_size:
            self._place = 0
        os.lseek(fd, self._place, os.SEEK_SET)

    def _drain(self, fd: int, is_file: bool) -> None:
        """Read what there is."""
        rest = bytearray()
        while not self._worker.stopping.is_set() and (data := os.read(fd, _CHUNK)):
            self._worker.succeeds()
            self._worker.give(list(self._lines(rest, data, is_file)))
        if rest and not is_file and not self._worker.stopping.is_set():
            self._worker.give([(0, bytes(rest))])

    def _is_listened_to(self, file: FileIO) -> bool:
        """Have what comes on a descriptor read until nothing more can come; False if that cannot be waited for."""
        fd, ended = file.fileno(), Event()
        if not self._listener.watch(fd, partial(self._take, file, bytearray(), ended)):
            return False
        while not ended.wait(LOOK_S):
            if self._worker.stopping.is_set():
                self._listener.forget(fd)
                break
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return True

    def _take(self, file: FileIO, rest: bytearray, ended: Event) -> list[Message]:
        """Return what has come on a descriptor; the last of it without the end of a line."""
        try:
            data = os.read(file.fileno(), _LITTLE)
        except BlockingIOError:
            return []
        except OSError as error:  # which the thread tells of
            data, self._failure = b"", error
        if data:
            self._worker.succeeds()
            return self._worker.messages(list(self._lines(rest, data, False)))
        self._listener.forget(file.fileno())
        file.close()  # now, as who writes to a FIFO that is closed later loses it
        ended.set()
        return self._worker.messages([(0, bytes(rest))]) if rest else []

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
