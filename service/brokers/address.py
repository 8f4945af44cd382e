"""The address of a broker, as it is written in one word."""

from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from edge.errors import ConfigError
from service.brokers.broker import BrokerSettings

_SCHEMES: dict[str, dict[str, Any]] = {
    "mqtt": {},
    "mqtts": {"tls": True},
    "ws": {"transport": "websockets"},
    "wss": {"transport": "websockets", "tls": True},
}


def broker_at(address: str, **settings: Any) -> BrokerSettings:
    """Return how to reach a broker at an address, with other settings; ConfigError if it is none.

    >>> broker_at("localhost").address, broker_at("wss://plant.example/mqtt").address
    ('mqtt://localhost:1883', 'wss://plant.example:443/mqtt')
    """
    try:
        return BrokerSettings.model_validate(_parts(address) | settings)
    except (ValidationError, ValueError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise ConfigError(
            f"--broker: expected HOST or HOST:PORT of an MQTT broker, or a URL such as mqtts://HOST, "
            f"got {address!r}: {said.removeprefix('Value error, ')}"
        ) from error


def _parts(address: str) -> dict[str, Any]:
    plain = f"[{address}]" if address.count(":") > 1 and "[" not in address else address  # IPv6 by itself
    url = urlsplit(address if "://" in address else f"mqtt://{plain}")
    if url.scheme not in _SCHEMES:
        raise ValueError(f"expected one of {', '.join(_SCHEMES)}, got {url.scheme}")
    if url.username is not None or url.query or url.fragment:
        raise ValueError("expected nothing but host, port and path in it, neither a user nor a password")
    parts = _SCHEMES[url.scheme] | {"host": url.hostname or ""}
    if url.port is not None:
        parts["port"] = url.port
    if url.path not in ("", "/"):
        parts["path"] = url.path
    return parts
