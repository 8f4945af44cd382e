"""Settings of the API: where it listens, how it is encrypted, who must log in."""

import socket
import ssl
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from edge.brokers import tls
from edge.brokers.loopback import is_loopback
from edge.errors import ConfigError
from service.part import Part

LOOPBACK = "127.0.0.1"


class HttpTlsSettings(Part):
    """The certificate that the API shows, as PEM."""

    certificate_file: Path
    key_file: Path | None = None  #: None: the key is in certificate_file

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        key = self.key_file and folder / self.key_file
        return self.model_copy(update={"certificate_file": folder / self.certificate_file, "key_file": key})


class HttpSettings(Part):
    """Where dashboard and API can be asked for, and by whom."""

    host: str = Field(default=LOOPBACK, min_length=1)
    port: int = Field(default=8321, ge=1, le=65535)
    tls: HttpTlsSettings | None = None
    insecure: bool = False  #: whether passwords and tokens may cross the network unencrypted
    login: bool = False  #: whether even loopback needs a user or a token, as behind a proxy on this host
    names: tuple[str, ...] = ()  #: by which browsers ask for it, besides addresses, localhost and this host's own

    @property
    def needs_login(self) -> bool:
        """Whether every request needs a user or a token."""
        return self.login or not is_loopback(self.host)

    @property
    def hosts(self) -> frozenset[str]:
        """Return the names under which the service may be asked for, in lower case."""
        return frozenset(name.lower() for name in ("localhost", socket.gethostname(), self.host, *self.names))

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        return self.model_copy(update={"tls": self.tls and self.tls.relative_to(folder)})

    def check_files(self) -> None:
        """Read certificate and key, if there are any; ConfigError if they cannot be shown."""
        if self.tls is None:
            return
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.identify(context, self.tls.certificate_file, self.tls.key_file, None, "a key that is not encrypted")
        except ConfigError as error:
            raise ConfigError(f"tls.{error}") from error

    @model_validator(mode="after")
    def _secrets_are_safe(self) -> Self:
        if self.needs_login and not is_loopback(self.host) and self.tls is None and not self.insecure:
            raise ValueError(
                f"host: expected tls for an address beyond this host, got {self.host} without: passwords would cross "
                "the network unencrypted; set tls, or insecure: true behind a proxy that encrypts"
            )
        return self
