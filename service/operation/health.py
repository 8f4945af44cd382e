"""The health server: /metrics, /healthz and /readyz over HTTP, for those who look after the service."""

import logging
import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from pydantic import Field

from edge.errors import ConfigError
from service.part import Part

log = logging.getLogger(__name__)

_PATIENCE_S = 10.0
_TEXT = "text/plain; charset=utf-8"


class MetricsSettings(Part):
    """Where metrics and health can be asked for."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=9464, ge=1, le=65535)


class Health:
    """Knows what is asked of a service's health, however it is asked."""

    def __init__(
        self, metrics: Callable[[str], tuple[str, bytes]], is_healthy: Callable[[], bool], is_ready: Callable[[], bool]
    ) -> None:
        self._metrics = metrics
        self._answers = {"/healthz": is_healthy, "/readyz": is_ready}

    def answer(self, path: str, accept: str) -> tuple[HTTPStatus, str, bytes]:
        """Return status, content type and body of a path."""
        if path == "/metrics":
            return HTTPStatus.OK, *self._metrics(accept)
        if (holds := self._answers.get(path)) is None:
            return HTTPStatus.NOT_FOUND, _TEXT, b"expected /metrics, /healthz or /readyz\n"
        if holds():
            return HTTPStatus.OK, _TEXT, b"yes\n"
        return HTTPStatus.SERVICE_UNAVAILABLE, _TEXT, b"no\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log what a request ended with; whoever asked may just have gone."""
        gone = isinstance(sys.exception(), OSError)
        log.log(logging.DEBUG if gone else logging.ERROR, "a request of %s failed", client_address[0], exc_info=True)


class HealthServer:
    """Answers on a thread of its own; it only reads, and knows no request but GET."""

    def __init__(self, settings: MetricsSettings, health: Health) -> None:
        self._settings = settings
        self._health = health
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Begin to listen; ConfigError if that cannot be."""
        host, port = self._settings.host, self._settings.port
        try:
            self._server = _Server((host, port), self._handler())
        except OSError as error:
            raise ConfigError(f"metrics: expected an address that is free, got {host}:{port}: {error}") from error
        Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        log.info("metrics at http://%s:%d/metrics", host, port)

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._health.answer

        class Handler(BaseHTTPRequestHandler):
            timeout = _PATIENCE_S
            server_version, sys_version = "foresense", ""

            def do_GET(self) -> None:
                status, content_type, body = answer(self.path.partition("?")[0], self.headers.get("Accept", ""))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
                log.debug(format, *args)

        return Handler
