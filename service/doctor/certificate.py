"""The broker's certificate: how long it is valid yet."""

import socket
import ssl
import time
from collections.abc import Iterator

from service.brokers.broker import BrokerSettings
from service.doctor.finding import Finding, ok, warn

_PATIENCE_S = 5.0
_DAY_S = 86_400
_SOON_DAYS = 14


def look_at_certificate(subject: str, broker: BrokerSettings) -> Iterator[Finding]:
    """Yield until when the broker's certificate is valid; nothing if there is none, or no connection."""
    if broker.tls is None:
        return
    try:
        with (
            socket.create_connection((broker.host, broker.port), _PATIENCE_S) as plain,
            broker.tls.context().wrap_socket(plain, server_hostname=broker.host) as secured,
        ):
            certificate, version = secured.getpeercert(), secured.version()
    except OSError:
        return  # why, the connection will say
    until = (certificate or {}).get("notAfter")
    if not isinstance(until, str):
        return
    days = (ssl.cert_time_to_seconds(until) - time.time()) / _DAY_S
    said = f"{version}, with a certificate that is valid until {until}"
    if days < _SOON_DAYS:
        yield warn(subject, said, "renew the broker's certificate")
    else:
        yield ok(subject, said)
