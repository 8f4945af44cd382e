"""The HTTP process: `python -m service.api CONFIG LINK LISTENER LEVEL`, started by the service and by nobody else."""

import gc
import socket
import sys
from pathlib import Path

import uvicorn

from edge.operation.logs import Log
from service.api.app import build
from service.api.service_link import ServiceLink
from service.api.source import Source

_GRACE_S = 1
_SILENCE_S = 30  # after which a connection that asks nothing is closed
_BACKLOG = 128


def serve(path: Path, link: socket.socket, listener: socket.socket) -> None:
    """Answer until the service ends."""
    source = Source(path)

    def end() -> None:
        server.should_exit = True

    app = build(source, ServiceLink(link, source, end))
    tls = source.settings.http and source.settings.http.tls
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, date_header=True, proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S, timeout_keep_alive=_SILENCE_S, backlog=_BACKLOG, ws="none",
            ssl_certfile=tls.certificate_file if tls else None,
            ssl_keyfile=tls.key_file or tls.certificate_file if tls else None,
        )
    )  # fmt: skip
    gc.freeze()
    server.run([listener])


if __name__ == "__main__":
    config, link_handle, listener_handle, level = sys.argv[1:]
    Log().start(level, "text")
    serve(Path(config), socket.socket(fileno=int(link_handle)), socket.socket(fileno=int(listener_handle)))
