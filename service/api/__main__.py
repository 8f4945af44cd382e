"""The HTTP process: `python -m service.api CONFIG LINK LISTENER LEVEL FORMAT`, started by the service only."""

import gc
import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from edge.errors import ForesenseError
from edge.operation.logs import Log
from service.api.app import build
from service.api.service_link import ServiceLink
from service.api.source import Source

_GRACE_S = 1
_SILENCE_S = 30  # after which a connection that asks nothing is closed
_BACKLOG = 128


def serve(path: Path, link: socket.socket, listener: socket.socket, each_second: Callable[[], None]) -> None:
    """Answer until the service ends."""
    source = Source(path)

    def end() -> None:
        server.should_exit = True

    app = build(source, ServiceLink(link, source, end, each_second))
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
    config, link_handle, listener_handle, level, form = sys.argv[1:]
    log = Log()
    log.start(level, "json" if form == "json" else "text")
    ours, listening = socket.socket(fileno=int(link_handle)), socket.socket(fileno=int(listener_handle))
    try:
        serve(Path(config), ours, listening, log.tell)
    except ForesenseError as error:
        logging.getLogger("service.api").error("the HTTP process cannot begin: %s", error)  # noqa: TRY400  no trace
        sys.exit(1)
    finally:
        log.tell(everything=True)
