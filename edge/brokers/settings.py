"""A broker's settings, as a device's configuration has them."""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.brokers import broker, tls
from edge.brokers.broker import Credentials

_PATH = re.compile(r"/[!-~]*")


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Which authority the server's certificate is of, and our own certificate if the server asks for one."""

    ca_file: Path | None = None  #: PEM; None: the authorities that this system trusts
    certificate_file: Path | None = None  #: PEM, with the certificates between it and the authority's
    key_file: Path | None = None  #: PEM; None: the key is in certificate_file
    key_password_file: Path | None = None

    def __post_init__(self) -> None:
        tls.check_fit(self.certificate_file, key_file=self.key_file, key_password_file=self.key_password_file)

    def context(self) -> ssl.SSLContext:
        """Return what makes connections of these settings; ConfigError if a file is not as it must be."""
        context = tls.open_context(self.ca_file)
        self.identify(context)
        return context

    def identify(self, context: ssl.SSLContext) -> None:
        """Read our own certificate anew, as it may have been renewed; ConfigError if it cannot be used."""
        if self.certificate_file is not None:
            tls.identify(context, self.certificate_file, self.key_file, self.key_password_file)


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How to reach an MQTT broker."""

    host: str = "localhost"
    port: int = 0  #: 0: the usual one
    protocol: Literal[5, "3.1.1"] = 5
    client_id: str = ""  #: '': foresense- and the device's name
    keepalive: int = 30  #: seconds
    transport: Literal["tcp", "websockets"] = "tcp"
    path: str = ""  #: of the websocket; '': /mqtt
    tls: TlsSettings | None = None
    username: str | None = None
    username_file: Path | None = None  #: where a token takes the name's place
    password_file: Path | None = None
    insecure: bool = False  #: secrets may cross the network unencrypted

    def __post_init__(self) -> None:
        broker.check_host(self.host)
        broker.check_fit(self, has_path=bool(self.path))
        if not 0 <= self.port <= 65535:
            raise ValueError(f"expected a port from 1 to 65535, got {self.port}")
        if not 5 <= self.keepalive <= 3600:
            raise ValueError(f"expected a keepalive from 5 to 3600 seconds, got {self.keepalive}")
        if len(self.client_id) > 64:
            raise ValueError(f"expected a client_id of at most 64 characters, got {self.client_id!r}")
        if self.path and not _PATH.fullmatch(self.path):
            raise ValueError(f"expected a path such as /mqtt, got {self.path!r}")

    @property
    def address(self) -> str:
        """Return where the broker is, such as mqtts://plant.example:8883."""
        return broker.address(self)

    def credentials(self) -> Credentials:
        """Return the name and the password as their files have them now; ConfigError if one cannot be read."""
        return broker.credentials(self)
