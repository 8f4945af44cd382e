"""A broker: what a connection must know of it, and which settings of one contradict each other."""

import ssl
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from edge.brokers.loopback import is_loopback
from edge.errors import ConfigError
from edge.secret import Secret, read_secret

_PORTS = {("tcp", False): 1883, ("tcp", True): 8883, ("websockets", False): 80, ("websockets", True): 443}


class Tls(Protocol):
    """Whom we trust, and who we are."""

    @property
    def ca_file(self) -> Path | None:
        """Return the file with the authorities' certificates; None: those that this system trusts."""

    def context(self) -> ssl.SSLContext:
        """Return what makes connections; ConfigError if a file is not as it must be."""

    def identify(self, context: ssl.SSLContext) -> None:
        """Read our own certificate anew; ConfigError if it cannot be used."""


class Credentials(NamedTuple):
    """Who we say we are."""

    username: str | None = None
    password: Secret | None = None


class Reach(Protocol):
    """The settings that say how to reach a broker."""

    @property
    def host(self) -> str:
        """Return its name or address."""

    @property
    def port(self) -> int:
        """Return its port."""

    @property
    def transport(self) -> Literal["tcp", "websockets"]:
        """Return what MQTT is carried by."""

    @property
    def path(self) -> str:
        """Return the path of the websocket."""

    @property
    def username(self) -> str | None:
        """Return who we are."""

    @property
    def username_file(self) -> Path | None:
        """Return the file with a token in the name's place."""

    @property
    def password_file(self) -> Path | None:
        """Return the file with the password."""

    @property
    def insecure(self) -> bool:
        """Whether secrets may cross the network unencrypted."""

    @property
    def tls(self) -> Tls | None:
        """Return how the connection is encrypted; None: it is not."""


class Broker(Reach, Protocol):
    """All that a connection must know of its broker."""

    @property
    def protocol(self) -> Literal[5, "3.1.1"]:
        """Return the version of MQTT."""

    @property
    def keepalive(self) -> int:
        """Return after how many seconds of silence a side must say that it is there."""

    @property
    def address(self) -> str:
        """Return where the broker is, such as mqtts://plant.example:8883."""

    def credentials(self) -> Credentials:
        """Return the name and the password as their files have them now; ConfigError if one cannot be read."""


def usual_port(transport: str, encrypted: bool) -> int:
    """Return the port that brokers mostly have.

    >>> usual_port("tcp", True)
    8883
    """
    return _PORTS.get((transport, encrypted), 1883)


def address(broker: Reach) -> str:
    """Return where a broker is, such as mqtts://plant.example:8883."""
    scheme = {"tcp": "mqtt", "websockets": "ws"}[broker.transport] + ("s" if broker.tls else "")
    host = f"[{broker.host}]" if ":" in broker.host else broker.host
    return f"{scheme}://{host}:{broker.port}{broker.path if broker.transport == 'websockets' else ''}"


def credentials(broker: Reach) -> Credentials:
    """Return the name and the password as their files have them now; ConfigError if one cannot be read."""
    username, password = broker.username, None
    if broker.username_file is not None:
        username = _secret("username_file", broker.username_file)
    if broker.password_file is not None:
        password = Secret(_secret("password_file", broker.password_file))
    return Credentials(username, password)


def check_files(broker: Reach) -> None:
    """Read every file that a connection needs; ConfigError if one is not as it must be."""
    credentials(broker)
    if broker.tls is not None:
        try:
            broker.tls.context()
        except ConfigError as error:
            raise ConfigError(f"tls.{error}") from error


def check_host(host: str) -> str:
    """Return the name or address of a host; ValueError if it cannot be one."""
    try:
        fits = all("!" <= sign <= "~" for sign in host.encode("idna").decode())
    except UnicodeError:
        fits = False
    if not fits or "/" in host:
        raise ValueError(f"expected the name or address of a host, got {host!r}")
    return host


def check_fit(broker: Reach, *, has_path: bool) -> None:
    """ValueError if settings contradict each other; `has_path`: one for the websocket was given."""
    if broker.username is not None and broker.username_file is not None:
        raise ValueError("expected either username or username_file, got both")
    if broker.password_file is not None and broker.username is None and broker.username_file is None:
        raise ValueError("expected a username beside password_file, got none")
    if has_path and broker.transport != "websockets":
        raise ValueError("expected path only with transport: websockets, got it with transport: tcp")
    if broker.insecure and broker.tls is not None:
        raise ValueError("expected insecure only without tls, whose certificates are always checked, got both")
    secret = next((name for name in ("password_file", "username_file") if getattr(broker, name) is not None), None)
    if secret and broker.tls is None and not (is_loopback(broker.host) or broker.insecure):
        raise ValueError(
            f"expected tls (or insecure: true, if it must be), as what is in {secret} would cross the network "
            f"unencrypted, got a plain connection to {broker.host!r}"
        )


def _secret(setting: str, path: Path) -> str:
    try:
        return read_secret(path)
    except ConfigError as error:
        raise ConfigError(f"{setting}: {error}") from error
