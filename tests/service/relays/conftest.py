"""What the tests of relays share: verdicts, and an HTTP server that answers as it is told."""

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
import pytest

from edge.reading import Verdicts


def verdicts_of(times: Sequence[int], channels: int = 1, **columns: Any) -> Verdicts:
    """Return a normal verdict on stream 0 at each time; `columns` are others."""
    count = len(times)
    shape = (count, channels)
    known: dict[str, Any] = {
        "stream": np.zeros(count, np.int32),
        "time": np.array(times, np.int64),
        "status": np.ones(count, np.uint8),
        "score": np.full(count, 0.5, np.float32),
        "channel": np.zeros(count, np.int16),
        "value": np.full(shape, 1.5),
        "expected": np.full(shape, 1.25),
        "lower": np.full(shape, -0.5),
        "upper": np.full(shape, 3.0),
        "alarm": np.zeros(count, np.int64),
        "change": np.zeros(count, np.uint8),
        "share": np.full(shape, 1 / channels, np.float32),
        "signal": np.zeros(count, np.int8),
        "once_in": np.full(count, 10, np.float32),
        "achieved": np.full(count, np.nan, np.float32),
        "coverage": np.ones(count, np.float32),
        "quality": np.zeros(shape, np.uint8),
        "ready_in": np.zeros(count, np.int32),
    }
    return Verdicts(**known | columns)


class Request(NamedTuple):
    """A request as it was heard."""

    path: str
    headers: dict[str, str]  #: by name in lower case
    body: bytes


class Reply(NamedTuple):
    """What the server does with a request."""

    status: int = 204
    headers: dict[str, str] = {}  # noqa: RUF012
    body: bytes = b""
    after_s: float = 0  #: it answers so late


class Receiver:
    """An HTTP server on a loopback port; `answer` decides, and what it took with 2xx is `taken`."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.taken: list[Request] = []
        self.answer: Callable[[Request], Reply] = lambda _: Reply()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                receiver.heard.append(request)
                reply = receiver.answer(request)
                if 200 <= reply.status < 300:
                    receiver.taken.append(request)
                time.sleep(reply.after_s)
                with suppress(BrokenPipeError):  # who asked has given up
                    self.reply(reply)

            def reply(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 204:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def script(self, *replies: Reply) -> None:
        """Answer with these in order, and with 204 after them."""
        waiting = list(replies)
        self.answer = lambda _: waiting.pop(0) if waiting else Reply()

    def use(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()
