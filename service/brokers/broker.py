"""A broker: how to reach it, and who we are there."""

from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from edge.errors import ConfigError
from edge.secret import read_secret
from service.brokers.loopback import is_loopback
from service.brokers.tls import TlsSettings
from service.part import Part

_PORTS = {("tcp", False): 1883, ("tcp", True): 8883, ("websockets", False): 80, ("websockets", True): 443}


class Credentials(NamedTuple):
    """Who we say we are."""

    username: str | None = None
    password: SecretStr | None = None


class BrokerSettings(Part):
    """How to reach an MQTT broker."""

    host: str = Field(default="localhost", min_length=1, max_length=253)
    port: int = Field(default=1883, ge=1, le=65535)
    protocol: Literal[5, "3.1.1"] = 5
    client_id: str = Field(default="foresense", min_length=1, max_length=64)
    keepalive: int = Field(default=30, ge=5, le=3600)  #: seconds
    transport: Literal["tcp", "websockets"] = "tcp"
    path: str = Field(default="/mqtt", pattern=r"^/[!-~]*$")  #: of the websocket
    tls: TlsSettings | None = None
    username: str | None = None
    username_file: Path | None = None  #: where a token takes the name's place
    password_file: Path | None = None
    insecure: bool = False  #: secrets may cross the network unencrypted

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent to the broker stays on this machine."""
        return is_loopback(self.host)

    @property
    def address(self) -> str:
        """Return where the broker is, such as mqtts://plant.example:8883."""
        scheme = {"tcp": "mqtt", "websockets": "ws"}[self.transport] + ("s" if self.tls else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}{self.path if self.transport == 'websockets' else ''}"

    def credentials(self) -> Credentials:
        """Return the name and the password as their files have them now; ConfigError if one cannot be read."""
        username, password = self.username, None
        if self.username_file is not None:
            username = _secret("username_file", self.username_file)
        if self.password_file is not None:
            password = SecretStr(_secret("password_file", self.password_file))
        return Credentials(username, password)

    def check_files(self) -> None:
        """Read every file that a connection needs; ConfigError if one is not as it must be."""
        self.credentials()
        if self.tls is not None:
            try:
                self.tls.context()
            except ConfigError as error:
                raise ConfigError(f"tls.{error}") from error

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        files = ("username_file", "password_file")
        update: dict[str, Any] = {name: folder / path for name in files if (path := getattr(self, name)) is not None}
        return self.model_copy(update=update | {"tls": self.tls and self.tls.relative_to(folder)})

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, host: str) -> str:
        try:
            fits = all("!" <= sign <= "~" for sign in host.encode("idna").decode())
        except UnicodeError:
            fits = False
        if not fits or "/" in host:
            raise ValueError(f"expected the name or address of a host, got {host!r}")
        return host

    @field_validator("tls", mode="before")
    @classmethod
    def _may_be_on_or_off(cls, raw: Any) -> Any:
        return {True: TlsSettings(), False: None}[raw] if isinstance(raw, bool) else raw

    @model_validator(mode="before")
    @classmethod
    def _has_the_usual_port(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "port" in raw:
            return raw
        usual = _PORTS.get((str(raw.get("transport", "tcp")), raw.get("tls") not in (None, False)), 1883)
        return {**raw, "port": usual}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.username is not None and self.username_file is not None:
            raise ValueError("expected either username or username_file, got both")
        if self.password_file is not None and self.username is None and self.username_file is None:
            raise ValueError("expected a username beside password_file, got none")
        if "path" in self.model_fields_set and self.transport != "websockets":
            raise ValueError("expected path only with transport: websockets, got it with transport: tcp")
        if self.insecure and self.tls is not None:
            raise ValueError("expected insecure only without tls, whose certificates are always checked, got both")
        return self

    @model_validator(mode="after")
    def _keep_secrets(self) -> Self:
        secret = next((name for name in ("password_file", "username_file") if getattr(self, name) is not None), None)
        if secret and self.tls is None and not (self.is_loopback or self.insecure):
            raise ValueError(
                f"expected tls (or insecure: true, if it must be), as what is in {secret} would cross the network "
                f"unencrypted, got a plain connection to {self.host!r}"
            )
        return self


def place(name: str) -> str:
    """Return what the configuration calls a broker.

    >>> place(""), place("north")
    ('broker', 'brokers.north')
    """
    return f"brokers.{name}" if name else "broker"


def _secret(setting: str, path: Path) -> str:
    try:
        return read_secret(path)
    except ConfigError as error:
        raise ConfigError(f"{setting}: {error}") from error
