"""systemd's protocol of notification: one datagram to the socket that it names; nothing where there is none."""

import logging
import os
import socket

log = logging.getLogger(__name__)


def notify(*lines: str) -> None:
    """Tell the supervisor, as in `notify("READY=1", "STATUS=subscribed")`."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.sendto("\n".join(lines).encode(), socket.MSG_DONTWAIT, address)  # it must not make us hang
    except OSError as error:
        log.warning("the supervisor cannot be told: %s", error)


def patience_s() -> float | None:
    """Return after how many seconds without a word the supervisor ends us; None if it does not watch."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() else None
