"""A TCP proxy on loopback that does to a link what networks do."""

import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Self

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close at once, with RST


class Proxy:
    """Passes bytes between its clients and a server; the link can be cut, fall silent, or come in small pieces."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.cuts = 0  #: connections that were cut
        self.bytes = 0  #: passed to clients
        self.piece: Callable[[], int] = lambda: 1 << 16  #: how many bytes are passed on at a time
        self._server = port
        self._flows = Event()
        self._flows.set()
        self._lock = Lock()
        self._links: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> Self:
        Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def stop(self) -> None:
        with suppress(OSError):  # wakes the thread that accepts
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flows.set()
        self.cut()

    def cut(self) -> None:
        """Break all connections off, in the middle of whatever is said."""
        with self._lock:
            links, self._links = self._links, []
        self.cuts += len(links)
        for pair in links:
            for end in pair:
                _close(end)

    def freeze(self) -> None:
        """Pass nothing on, though connections stay and are even accepted: each side sends into the void."""
        self._flows.clear()

    def thaw(self) -> None:
        """Forget what was on its way, as a link does whose other end is no longer there, and pass new bytes on."""
        self.cut()
        self._flows.set()

    @property
    def links(self) -> int:
        """Return how many connections there are."""
        with self._lock:
            return len(self._links)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server))
            except OSError:
                _close(client)
                continue
            with self._lock:
                self._links.append((client, server))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink, counts in ((client, server, False), (server, client, True)):
                Thread(target=self._pass, args=(source, sink, counts), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with suppress(OSError):  # cut
            while data := source.recv(1 << 16):
                self._flows.wait()
                while data:
                    piece = self.piece()
                    sink.sendall(data[:piece])
                    self.bytes += counts * len(data[:piece])
                    data = data[piece:]
                    if data:
                        time.sleep(1e-4)  # so that the other side reads this piece alone
        with self._lock:
            self._links = [pair for pair in self._links if source not in pair]
        _close(source)
        _close(sink)


def _close(end: socket.socket) -> None:
    with suppress(OSError):  # closed already
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        end.shutdown(socket.SHUT_RDWR)
    end.close()
